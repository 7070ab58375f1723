"""View -> JUnit XML. Nothing that stands in the way may look green, and nothing that failed either. Pure."""

from xml.etree import ElementTree as ET

from go_live.report.model import Family, ItemView, View


def junit(view: View) -> str:
    """One test case for the decision and one for each item.

    FAIL is a failure and ERROR an error, required or not; whatever else blocks is a failure; NOT RUN, INCONCLUSIVE
    and NOT APPLICABLE items that do not block are skipped; only PASS and ATTESTED are green.
    """
    root = ET.Element("testsuites", name=view.title)
    decision = ET.SubElement(root, "testsuite", name="decision")
    case = ET.SubElement(decision, "testcase", classname="golive", name="the decision is GO")
    if view.answer.tone != "good":
        # A partial run passes (exit 0) and is no GO: neither red nor green.
        _add(case, "skipped" if view.answer.word == "PARTIAL" else "failure", view.answer.word, view.sentence)
    ET.SubElement(case, "system-out").text = "; ".join((view.sentence, *view.watermarks, *view.notes))
    for family in view.families:
        _suite(root, family)
    for suite in root:
        _count(suite)
    _count(root)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _suite(root: ET.Element, family: Family) -> None:
    """One heading of the checklist."""
    suite = ET.SubElement(root, "testsuite", name=family.title)
    for item in family.items:
        case = ET.SubElement(suite, "testcase", classname=f"golive.{family.title}", name=f"{item.id} {item.claim}")
        if kind := _kind(item):
            _add(case, kind, f"{item.mark.word} ({item.required})", item.reason)
        elif item.mark.word != "PASS":
            ET.SubElement(case, "system-out").text = f"{item.mark.word}: {item.reason}"


def _kind(item: ItemView) -> str | None:
    """The element that says how the item came out; None for green."""
    match item.mark.word:
        case "ERROR":
            return "error"
        case "FAIL":
            return "failure"
        case "PASS" | "ATTESTED" if item.satisfied and not item.blocking:
            return None
    return "failure" if item.blocking else "skipped"


def _add(case: ET.Element, kind: str, word: str, reason: str) -> None:
    """The element with a message; skipped has no type in JUnit's schema."""
    element = ET.SubElement(case, kind, message=f"{word}: {reason}")
    if kind != "skipped":
        element.set("type", word)
        element.text = reason


def _count(element: ET.Element) -> None:
    """The totals that readers of JUnit show."""
    element.set("tests", str(len(element.findall(".//testcase"))))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(len(element.findall(f".//{kind}"))))
