"""Submissions are found however they were handed in; nothing is followed, or unpacked to other places."""

import io
import json
import os
import zipfile

import pytest

from course.grading.answers import LARGEST
from course.grading.submissions import collect, match

RIGHT = "def cube(x):\n    return x**3\n"


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def find(inbox, tmp_path, sheet):
    def find():
        scratch = tmp_path / "scratch"
        scratch.mkdir(exist_ok=True)
        found = collect(inbox, scratch)
        return {each.student: (match(each, [sheet]), each.problems) for each in found}

    return find


def write(path, nb):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(nb if isinstance(nb, str) else json.dumps(nb), encoding="utf-8")


def zipped(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content if isinstance(content, str | bytes) else json.dumps(content))
    return made.getvalue()


def test_every_layout_gives_one_submission_for_each_student(inbox, find, handed_in):
    nb = handed_in(RIGHT)
    write(inbox / "clone" / "exercises" / "01-cubes.ipynb", nb)
    write(inbox / "flat" / "01-cubes.ipynb", nb)
    write(inbox / "Ada Lovelace_17_assignsubmission_file" / "my homework (2).ipynb", nb)
    write(inbox / "file.ipynb", nb)
    (inbox / "zip.zip").write_bytes(zipped({"a/b/01-cubes.ipynb": nb, "__MACOSX/a/b/._01-cubes.ipynb": "x"}))
    (inbox / "nested").mkdir()
    (inbox / "nested" / "upload.zip").write_bytes(zipped({"01-cubes.ipynb": nb}))
    (inbox / "list.csv").write_text("not a submission")
    (inbox / ".git").mkdir()
    found = find()
    assert sorted(found) == [
        *("Ada Lovelace_17_assignsubmission_file", "clone", "file", "flat", "nested", "zip")
    ]
    for student, (answers, problems) in found.items():
        assert answers["01-cubes"].code == {"answer": RIGHT}, student
        assert problems == []


def test_copies_that_an_editor_keeps_are_left_alone(inbox, find, handed_in):
    write(inbox / "ada" / "01-cubes.ipynb", handed_in(RIGHT))
    write(inbox / "ada" / ".ipynb_checkpoints" / "01-cubes.ipynb", handed_in("cube = 1\n"))
    assert find()["ada"][0]["01-cubes"].code == {"answer": RIGHT}


def test_the_notebook_with_the_right_name_comes_first(inbox, find, handed_in):
    write(inbox / "ada" / "01-cubes.ipynb", handed_in(RIGHT))
    write(inbox / "ada" / "01-cubes-Copy1.ipynb", handed_in("cube = 1\n"))
    assert find()["ada"][0]["01-cubes"].code == {"answer": RIGHT}


def test_blank_copy_beside_an_answered_one_does_not_count(inbox, find, handed_in):
    write(inbox / "ada" / "a.ipynb", handed_in())
    write(inbox / "ada" / "b.ipynb", handed_in(RIGHT))
    assert find()["ada"][0]["01-cubes"].code == {"answer": RIGHT}


def test_two_different_answers_are_refused_with_a_reason(inbox, find, handed_in):
    write(inbox / "ada" / "a.ipynb", handed_in(RIGHT))
    write(inbox / "ada" / "b.ipynb", handed_in("cube = 1\n"))
    answers, problems = find()["ada"]
    assert answers == {}
    assert problems == [
        "01-cubes was not graded: a.ipynb, b.ipynb hold different answers to it; hand in one of them"
    ]


def test_other_notebooks_are_nobodys_affair(inbox, find):
    write(inbox / "ada" / "notes.ipynb", {"nbformat": 4, "cells": [{"cell_type": "code", "source": "1 + 1"}]})
    assert find()["ada"] == ({}, [])


def test_one_unreadable_file_costs_itself_alone(inbox, find, handed_in):
    write(inbox / "ada" / "01-cubes.ipynb", handed_in(RIGHT))
    write(inbox / "ada" / "broken.ipynb", "{")
    (inbox / "ada" / "broken.zip").write_bytes(b"PK\x03\x04 and no more")
    write(inbox / "bob.ipynb", handed_in(RIGHT))
    found = find()
    assert all("01-cubes" in answers for answers, _ in found.values())
    assert sorted(problem.split(":")[0] for problem in found["ada"][1]) == [
        "broken.ipynb was not graded",
        "broken.zip cannot be unpacked",
    ]


def test_links_are_not_followed(inbox, find, handed_in, tmp_path):
    write(tmp_path / "reference" / "01-cubes.ipynb", handed_in(RIGHT))
    (inbox / "folder").symlink_to(tmp_path / "reference")
    (inbox / "file.ipynb").symlink_to(tmp_path / "reference" / "01-cubes.ipynb")
    (inbox / "ada").mkdir()
    (inbox / "ada" / "01-cubes.ipynb").symlink_to(tmp_path / "reference" / "01-cubes.ipynb")
    (inbox / "ada" / "more").symlink_to(tmp_path / "reference")
    assert {student: answers for student, (answers, _) in find().items()} == {
        "folder": {},
        "file": {},
        "ada": {},
    }


def test_archive_writes_nothing_beside_its_folder(inbox, find, handed_in, tmp_path):
    nb = handed_in(RIGHT)
    names = ["../../outside.ipynb", "/tmp/course-attack.ipynb", "..\\..\\outside.ipynb", "a/../../b.ipynb"]
    (inbox / "ada.zip").write_bytes(zipped(dict.fromkeys(names, nb)))
    before = {path for path in tmp_path.rglob("*") if "scratch" not in path.parts}
    assert find()["ada"][0]["01-cubes"].code == {"answer": RIGHT}
    assert {path for path in tmp_path.rglob("*") if "scratch" not in path.parts} == before
    assert not os.path.exists("/tmp/course-attack.ipynb")  # noqa: PTH110


def test_archive_that_grows_is_read_no_further_than_a_notebook_may_go(inbox, find, tmp_path):
    (inbox / "ada.zip").write_bytes(zipped({"01-cubes.ipynb": b" " * (40 * LARGEST)}))
    answers, problems = find()["ada"]
    assert answers == {}
    assert "more than 5" in problems[0]
    assert sum(path.stat().st_size for path in (tmp_path / "scratch").rglob("*.ipynb")) <= LARGEST + 1


def test_archive_of_many_notebooks_is_refused(inbox, find):
    (inbox / "ada.zip").write_bytes(zipped({f"{n}.ipynb": "{}" for n in range(300)}))
    assert "more than 200 notebooks" in find()["ada"][1][0]


def test_encrypted_archive_is_refused_with_a_reason(inbox, find):
    content = bytearray(zipped({"01-cubes.ipynb": "{}"}))
    content[6] |= 1  # the bit that says encrypted, in the file's header and in the directory's
    content[content.find(b"PK\x01\x02") + 8] |= 1
    (inbox / "ada.zip").write_bytes(bytes(content))
    assert "ada.zip cannot be unpacked" in find()["ada"][1][0]


def test_time_of_a_submission_is_that_of_its_last_notebook(inbox, tmp_path, handed_in):
    write(inbox / "ada" / "01-cubes.ipynb", handed_in(RIGHT))
    os.utime(inbox / "ada" / "01-cubes.ipynb", (1e9, 1e9))
    assert collect(inbox, tmp_path)[0].modified == 1e9
