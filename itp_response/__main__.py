"""`python -m itp_response`: the command line."""

from itp_response.cli import main

if __name__ == "__main__":
    main(prog_name="itp-response")
