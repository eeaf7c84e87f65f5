"""The help: commands in groups, examples that can be typed, options that say what they do and their default."""

import re
import shlex

import click
import pytest
from click.testing import CliRunner

from itp_response.cli import main
from itp_response.cli.options import READING


def help_of(*words):
    return CliRunner().invoke(main, [*words, "--help"], terminal_width=80, prog_name="itp-response").stdout


def test_each_command_stands_in_one_group_on_a_line_of_its_own():
    listed = [re.match(r"  ([a-z-]+) {2,}\S", line) for line in help_of().partition("\n\nClassify")[2].splitlines()]

    assert sorted(found[1] for found in listed if found) == sorted(main.commands)
    assert sorted(name for names in main.groups.values() for name in names) == sorted(main.commands)
    assert all(f"{title}:\n" in help_of() for title in main.groups)


def test_the_text_of_each_is_whole_and_begins_below_the_others():
    commands = help_of().partition("\n\nClassify")[2].splitlines()
    texts = [line for line in commands if re.match(r"  [a-z-]+ {2,}[A-Z]", line)]

    assert len({re.match(r"  [a-z-]+ +", line).end() for line in texts}) == 1
    assert all(line.endswith(".") for line in texts)


@pytest.mark.parametrize("name", main.commands)
class TestEach:
    def test_has_examples_that_fit_and_can_be_typed(self, name):
        """The quotation marks are those that every shell has."""
        command = main.commands[name]
        assert 1 <= len(command.examples) <= 4
        for example in command.examples:
            line = f"  itp-response {example}\n"
            assert line in help_of(name)
            assert len(line) <= 80
            assert "'" not in example
            words = shlex.split(re.split(" [<>] ", example)[0])
            assert words[0] == name
            if "-" not in words:
                command.make_context(name, words[1:])

    def test_fits_80_columns(self, name):
        assert [line for line in help_of(name).splitlines() if len(line) > 80] == []

    def test_says_of_each_option_what_it_does_and_its_default(self, name):
        for option in main.commands[name].params:
            if isinstance(option, click.Option) and not (option.is_flag or option.required or option.show_default):
                assert re.search(r"Default: |required by", option.help), option.opts
                assert option.help.endswith("."), option.opts

    def test_puts_how_data_are_read_into_a_group_of_its_own(self, name):
        text = help_of(name)

        assert ("How the data are read:\n" in text) == any(
            param.name in READING for param in main.commands[name].params
        )
        assert "--quiet" in text.split("Every command:\n")[1]
