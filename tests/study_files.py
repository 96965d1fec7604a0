"""Study rows from a file, and what the report says of each."""

from knowledgebase.editorial.study_import import enter
from knowledgebase.editorial.study_tables import read


def entered(text, editor, synthesis, **choices):
    return enter(read(text), synthesis=synthesis, by=editor, **choices)


def statuses(report):
    return [str(line.status) for line in report.lines]


def remarks(report):
    return [remark for line in report.lines for remark in line.remarks]
