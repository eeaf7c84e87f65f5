"""Define-XML: what define.xml says of the datasets, in CDISC's Define-XML 2.1.

It is written without a library, so that it is there whatever is installed; the tests read it by CDISC's schema and by
odmlib.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree

from itp_response.classification.provenance import INSIDE, Provenance
from itp_response.definitions.criteria import Criteria
from itp_response.definitions.intercurrent_events import in_words
from itp_response.outputs.adam.codelists import CodeList, codelists, of_parameter, of_variable
from itp_response.outputs.adam.files import DATE, EPOCH, VERSION
from itp_response.outputs.adam.parameters import Parameter
from itp_response.outputs.adam.variables import Dataset, Variable

SPACES = {
    "": "http://www.cdisc.org/ns/odm/v1.3",
    "def": "http://www.cdisc.org/ns/def/v2.1",
    "xlink": "http://www.w3.org/1999/xlink",
    "xml": "http://www.w3.org/XML/1998/namespace",
}
STANDARD = "STD.ADaMIG"
SET = "COM.CRITERIA"
"""The comment on the criteria set."""
COPIED = ("STUDYID", "USUBJID", "SUBJID", "TRTP", "TRT01P", "TRT01A", "ATERM")
"""The variables that are copied from the source; all others are derived."""
CLASSES = {
    "ADITP": ("ADAM OTHER", None),
    "ADRS": ("BASIC DATA STRUCTURE", None),
    "ADTTE": ("BASIC DATA STRUCTURE", "TIME-TO-EVENT"),
    "ADLB": ("BASIC DATA STRUCTURE", None),
    "ADICE": ("ADAM OTHER", None),
}
DOCUMENTS = {"LF.DEFINE": ("define.md", "Derivations in words"), "LF.PROVENANCE": (INSIDE, "What made the files")}
NOT_ADSL = "To be joined to the study's own ADSL, which has the populations and the treatments."


@dataclass(frozen=True)
class Defined:
    """What define.xml is made of."""

    datasets: Mapping[str, Dataset]
    criteria: Criteria
    parameters: Sequence[Parameter]
    study: str
    suffix: str
    """Of the files of the datasets."""

    def parameters_of(self, dataset: str) -> list[Parameter]:
        return [parameter for parameter in self.parameters if parameter.dataset == dataset]


def define_xml(defined: Defined, origin: Provenance) -> bytes:
    """The document."""
    for prefix, uri in SPACES.items():
        ElementTree.register_namespace(prefix, uri)
    odm = ElementTree.Element(f"{{{SPACES['']}}}ODM")
    _set(
        odm,
        {
            "ODMVersion": "1.3.2",
            "FileType": "Snapshot",
            "FileOID": f"{defined.study}.define",
            "CreationDateTime": EPOCH,
            "SourceSystem": origin.program,
            "SourceSystemVersion": origin.version,
            "def:Context": "Submission",
        },
    )
    study = _put(odm, "Study", OID=defined.study)
    names = _put(study, "GlobalVariables")
    _put(names, "StudyName", defined.study)
    _put(names, "StudyDescription", defined.criteria.response_definition)
    _put(names, "ProtocolName", defined.study)
    version = _put(study, "MetaDataVersion", OID=VERSION, Name=f"{defined.study}: ADaM datasets of response in ITP")
    _set(version, {"def:DefineVersion": "2.1.0"})
    standards = _put(version, "def:Standards")
    _put(standards, "def:Standard", OID=STANDARD, Name="ADaMIG", Type="IG", Version="1.3", Status="Final")
    documents = _put(version, "def:SupplementalDoc")
    for leaf in DOCUMENTS:
        _put(documents, "def:DocumentRef", leafID=leaf)
    _value_lists(version, defined)
    for dataset in defined.datasets.values():
        _dataset(version, dataset, defined)
    _items(version, defined)
    for codelist in codelists(defined.datasets, defined.criteria, defined.parameters):
        _codelist(version, codelist)
    _methods(version, defined)
    _comments(version, defined)
    for leaf, (file, title) in DOCUMENTS.items():
        _leaf(version, leaf, file, title)
    ElementTree.indent(odm)
    return f"{DECLARED}\n{ElementTree.tostring(odm, encoding='unicode')}\n".encode()


DECLARED = '<?xml version="1.0" encoding="UTF-8"?>'


# PIECES


def _name(name: str) -> str:
    """The name with its namespace; an attribute without a prefix has none."""
    prefix, _, local = name.rpartition(":")
    return f"{{{SPACES[prefix]}}}{local}"


def _set(element: ElementTree.Element, attributes: Mapping[str, str]) -> None:
    for name, value in attributes.items():
        element.set(_name(name) if ":" in name else name, value)


def _put(parent: ElementTree.Element, name: str, text: str | None = None, **attributes: str) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, _name(name), attributes)
    element.text = text
    return element


def _words(parent: ElementTree.Element, text: str, name: str = "Description") -> None:
    translated = _put(_put(parent, name), "TranslatedText", text)
    _set(translated, {"xml:lang": "en"})


def _leaf(parent: ElementTree.Element, leaf: str, file: str, title: str) -> None:
    element = _put(parent, "def:leaf", ID=leaf)
    _set(element, {"xlink:href": file})
    _put(element, "def:title", title)


# VALUES BY PARAMETER


def _valued(defined: Defined) -> Iterator[tuple[Dataset, str, list[Parameter]]]:
    """The variables whose values depend on the parameter, with the parameters of which they have a value."""
    for name, dataset in defined.datasets.items():
        columns = [variable.name for variable in dataset.variables]
        for variable in ("AVALC", "AVAL"):
            parameters = [p for p in defined.parameters_of(name) if variable in p.values]
            if parameters and variable in columns:
                yield dataset, variable, parameters


def _value_lists(version: ElementTree.Element, defined: Defined) -> None:
    for dataset, variable, parameters in _valued(defined):
        values = _put(version, "def:ValueListDef", OID=f"VL.{dataset.name}.{variable}")
        for number, parameter in enumerate(parameters, start=1):
            item = f"IT.{dataset.name}.{variable}.{parameter.code}"
            method = f"MT.{dataset.name}.{parameter.code}"
            reference = _put(values, "ItemRef", ItemOID=item, OrderNumber=str(number), Mandatory="No", MethodOID=method)
            _put(reference, "def:WhereClauseRef", WhereClauseOID=f"WC.{dataset.name}.{parameter.code}")
    for name in defined.datasets:
        for parameter in defined.parameters_of(name):
            clause = _put(version, "def:WhereClauseDef", OID=f"WC.{name}.{parameter.code}")
            check = _put(clause, "RangeCheck", Comparator="EQ", SoftHard="Soft")
            _set(check, {"def:ItemOID": f"IT.{name}.PARAMCD"})
            _put(check, "CheckValue", parameter.code)


# DATASETS AND VARIABLES


def _dataset(version: ElementTree.Element, dataset: Dataset, defined: Defined) -> None:
    leaf, file = f"LF.{dataset.name}", f"{dataset.name.lower()}.{defined.suffix}"
    repeating = "No" if dataset.keys == ("STUDYID", "USUBJID") else "Yes"
    group = _put(
        version,
        "ItemGroupDef",
        OID=f"IG.{dataset.name}",
        Name=dataset.name,
        Repeating=repeating,
        IsReferenceData="No",
        SASDatasetName=dataset.name,
        Purpose="Analysis",
    )
    _set(group, {"def:Structure": dataset.structure, "def:StandardOID": STANDARD, "def:ArchiveLocationID": leaf})
    _set(group, {"def:CommentOID": f"COM.{dataset.name}" if dataset.name == "ADITP" else SET})
    _words(group, dataset.label)
    for number, variable in enumerate(dataset.variables, start=1):
        item = {"ItemOID": f"IT.{dataset.name}.{variable.name}", "OrderNumber": str(number)}
        item["Mandatory"] = "Yes" if variable.name in dataset.keys else "No"
        if variable.name in dataset.keys:
            item["KeySequence"] = str(dataset.keys.index(variable.name) + 1)
        if variable.name not in COPIED:
            item["MethodOID"] = f"MT.{dataset.name}.{variable.name}"
        _put(group, "ItemRef", **item)
    class_, subclass = CLASSES[dataset.name]
    element = _put(group, "def:Class", Name=class_)
    if subclass is not None:
        _put(element, "def:SubClass", Name=subclass)
    _leaf(group, leaf, file, file)


def _items(version: ElementTree.Element, defined: Defined) -> None:
    valued = {(dataset.name, variable) for dataset, variable, _ in _valued(defined)}
    for name, dataset in defined.datasets.items():
        for variable in dataset.variables:
            item = _item(version, f"IT.{name}.{variable.name}", variable, dataset.length(variable))
            codelist = of_variable(dataset, variable)
            if codelist:
                _put(item, "CodeListRef", CodeListOID=codelist)
            _origin(item, variable)
            if (name, variable.name) in valued:
                _put(item, "def:ValueListRef", ValueListOID=f"VL.{name}.{variable.name}")
    for dataset, variable_name, parameters in _valued(defined):
        variable = next(variable for variable in dataset.variables if variable.name == variable_name)
        for parameter in parameters:
            oid = f"IT.{dataset.name}.{variable_name}.{parameter.code}"
            item = _item(
                version, oid, Variable(variable_name, parameter.text, variable.type, ""), dataset.length(variable)
            )
            if parameter.endpoint:
                _set(item, {"def:CommentOID": f"COM.ICE.{parameter.endpoint}"})
            codelist = of_parameter(parameter) if variable_name == "AVALC" else ""
            if codelist:
                _put(item, "CodeListRef", CodeListOID=codelist)
            _put(item, "def:Origin", Type="Derived", Source="Sponsor")


def _item(version: ElementTree.Element, oid: str, variable: Variable, length: int) -> ElementTree.Element:
    item = _put(version, "ItemDef", OID=oid, Name=variable.name, DataType=variable.type)
    if variable.type == "date":
        _set(item, {"def:DisplayFormat": DATE})
    else:
        _set(item, {"Length": str(length)})
    if variable.type == "float":
        _set(item, {"SignificantDigits": str(DIGITS)})
    _set(item, {"SASFieldName": variable.name})
    _words(item, variable.label)
    return item


DIGITS = 2
"""Of numbers that are not whole, after the point."""


def _origin(item: ElementTree.Element, variable: Variable) -> None:
    if variable.name in COPIED:
        _words(_put(item, "def:Origin", Type="Predecessor"), variable.means)
    else:
        _put(item, "def:Origin", Type="Derived", Source="Sponsor")


# CODES, METHODS, COMMENTS


def _codelist(version: ElementTree.Element, codelist: CodeList) -> None:
    element = _put(version, "CodeList", OID=codelist.oid, Name=codelist.name, DataType=codelist.type)
    _set(element, {"def:IsNonStandard": "Yes"})
    for code, decode in codelist.codes.items():
        _words(_put(element, "CodeListItem", CodedValue=code), decode, "Decode")


def _methods(version: ElementTree.Element, defined: Defined) -> None:
    for name, dataset in defined.datasets.items():
        for variable in dataset.variables:
            if variable.name not in COPIED:
                _method(version, f"MT.{name}.{variable.name}", f"{name}.{variable.name}", variable.means)
        for parameter in defined.parameters_of(name):
            _method(version, f"MT.{name}.{parameter.code}", f"{name}: {parameter.text}", parameter.derivation)


def _method(version: ElementTree.Element, oid: str, name: str, text: str) -> None:
    method = _put(version, "MethodDef", OID=oid, Name=name, Type="Computation")
    _words(method, text)
    _put(method, "def:DocumentRef", leafID="LF.DEFINE")


def _comments(version: ElementTree.Element, defined: Defined) -> None:
    criteria = defined.criteria
    source = criteria.file.source
    reference = ", ".join(filter(None, [source.cite, source.where, source.registry, source.link]))
    day_0 = f"Day 0, which is study day 1: {criteria.file.clock.day_0}."
    _comment(version, SET, f"{criteria.response_definition}, from {reference}. {day_0}")
    _comment(version, "COM.ADITP", f"{NOT_ADSL} {criteria.response_definition}, from {reference}. {day_0}")
    for name in dict.fromkeys(parameter.endpoint for parameter in defined.parameters if parameter.endpoint):
        _comment(version, f"COM.ICE.{name}", in_words(criteria.file, name))


def _comment(version: ElementTree.Element, oid: str, text: str) -> None:
    _words(_put(version, "def:CommentDef", OID=oid), text)
