"""The site as one file: unpacked somewhere else, it is read without a server and without a network."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urldefrag
from zipfile import ZipFile

import pytest
from conftest import Reader, Site

from course import offline
from course.site import pages

Make = Callable[..., Reader]


@pytest.fixture
def unpacked(site: Site, tmp_path: Path) -> Site:
    """The site from its zip, in a folder whose name wants quoting."""
    file = offline.pack(site.folder, tmp_path / "new" / "site.zip")
    with ZipFile(file) as archive:
        archive.extractall(tmp_path / "a stick, 100 %")
    return Site(tmp_path / "a stick, 100 %" / offline.FOLDER, http="http://nowhere.invalid")


def test_unpacked_pages_open_and_every_link_resolves(unpacked: Site, reader: Make) -> None:
    lesson = "lesson.html" if "lesson.html" in unpacked.pages else "chapters/01-newton.html"
    someone = reader(unpacked)
    for name in ("index.html", lesson):
        page = someone.open(name, protocol="file")
        assert page.locator("article h1").is_visible()
        for image in page.locator("article img").all():
            image.scroll_into_view_if_needed()
        page.wait_for_function("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    assert someone.failed == []
    assert someone.foreign == []
    assert someone.complaints == []

    read = pages.read_all(unpacked.folder)
    lost, followed = [], 0
    for name, page in read.items():
        for link in page.links - {"", "#"}:
            address, fragment = urldefrag(link)
            if "://" in address or address.startswith(("mailto:", "data:")):
                continue
            target = Path(os.path.normpath(unpacked.folder / name / ".." / unquote(address.split("?")[0])))
            key = target.relative_to(unpacked.folder).as_posix() if address else name
            followed += 1
            there = not fragment or unquote(fragment) in read[key].names
            if not ((unpacked.folder / key).is_file() and there):
                lost.append(f"{name}: {link}")
    assert followed > 20
    assert lost == []


def test_same_site_same_zip(stress: Site, tmp_path: Path) -> None:
    copy = shutil.copytree(stress.folder, tmp_path / "copy", copy_function=shutil.copyfile)  # at another time
    first = offline.pack(stress.folder, tmp_path / "first.zip")
    assert first.read_bytes() == offline.pack(copy, tmp_path / "second.zip").read_bytes()


def test_too_large_a_site_is_refused(stress: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offline, "LIMIT", 100_000)
    with pytest.raises(offline.OfflineError, match=r"MB zipped, more than"):
        offline.pack(stress.folder, tmp_path / "site.zip")
    assert not (tmp_path / "site.zip").exists()


def test_folder_without_a_site_is_refused(tmp_path: Path) -> None:
    with pytest.raises(offline.OfflineError, match="course build"):
        offline.pack(tmp_path, tmp_path / "site.zip")
