"""View -> JUnit XML. Nothing that stands in the way may look green, and nothing that failed either. Pure."""

from xml.etree import ElementTree as ET

from go_live.report.model import Family, ItemView, View


def junit(view: View) -> str:
    """One test case for the decision and one for each item.

    FAIL is a failure and ERROR an error, required or not; whatever else blocks is a failure; NOT RUN, INCONCLUSIVE
    and NOT APPLICABLE items that do not block are skipped, and so is what is waived, with its waiver; only PASS and
    ATTESTED are green.
    """
    root = ET.Element("testsuites", name=view.title)
    decision = ET.SubElement(root, "testsuite", name="decision")
    case = ET.SubElement(decision, "testcase", classname="golive", name="the decision is GO")
    waivers = [f"waiver of {one.item} {one.mark.word}: {one.why}" for one in view.waivers]
    if view.answer.tone != "good":
        # A partial run passes (exit 0) and is no GO, and a waived item is none that holds: neither red nor green.
        kind = "skipped" if view.answer.word in {"PARTIAL", "GO-WITH-WAIVERS"} else "failure"
        _add(case, kind, view.answer.word, view.sentence)
    ET.SubElement(case, "system-out").text = "; ".join((view.sentence, *view.watermarks, *view.notes, *waivers))
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
            word = f"{item.mark.word} ({item.waived})" if item.waived else f"{item.mark.word} ({item.required})"
            _add(case, kind, word, item.reason)
        elif item.mark.word != "PASS":
            ET.SubElement(case, "system-out").text = f"{item.mark.word}: {item.reason}"


def _kind(item: ItemView) -> str | None:
    """The element that says how the item came out; None for green."""
    if item.waived and not item.blocking:
        return "skipped"
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
