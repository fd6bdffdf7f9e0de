"""What the help says: the actions that have keys, and the words of the workbench."""

from __future__ import annotations

#: Action, as static/common.js names it -> what it does.
KEYS = (
    ("next", "Next field"),
    ("previous", "Previous field"),
    ("nextStudy", "Next study"),
    ("previousStudy", "Previous study"),
    ("accept", "Accept what is shown"),
    ("edit", "Edit (Enter saves, Esc cancels)"),
    ("reject", "Reject"),
    ("notReported", "Not reported"),
    ("undo", "Undo your last decision on the field"),
    ("evidence", "Take the selected text as evidence"),
    ("comment", "Comment, or note"),
    ("include", "Screening: include"),
    ("exclude", "Screening: exclude, with the reason chosen"),
    ("unsure", "Screening: unsure"),
    ("dashboard", "Go to the dashboard"),
    ("search", "Search studies"),
    ("help", "This page"),
)

WORDS = (
    ("suggested", "The extractor read it; nobody has decided. It enters no reviewed result."),
    ("accepted", "A person found the suggestion right."),
    ("corrected", "A person gave another value or another phrase for it."),
    ("rejected", "The reading is wrong, and there is no value to put in its place."),
    ("not reported", "The text does not say it; this is a finding, not a gap."),
    ("agreed", "Two people said the same."),
    ("conflict", "Two people differ; a third settles it, or they do if the protocol lets them."),
    ("adjudicated", "A conflict that was settled."),
    ("evidence", "The phrase of the text that a value was read from; marked in the text."),
    (
        "mode",
        "single: one person decides. verify: a second confirms or corrects under the own "
        "name. dual: two decide blind, and see each other's word when both have finished.",
    ),
    ("undo", "A new entry that takes an own decision back; nothing is ever deleted."),
    ("not saved", "Another tab or person changed the field first: reload the page."),
)
