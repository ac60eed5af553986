"""Where the browser comes from. No browser is started: commands and places are stand-ins."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from course import browser, system


class Machine:
    """A machine on which only the files that a test makes exist, and commands do what the test says."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.path = folder / "bin"
        self.downloads = folder / "downloads"
        self.ran: list[tuple[str, ...]] = []
        self.installs: dict[str, Path] = {}  # what a successful installer leaves behind
        self.broken: set[Path] = set()
        self.sudo = False
        self.path.mkdir()
        self.downloads.mkdir()
        patch.setenv("PATH", str(self.path))
        for variable in (*browser.VARIABLES, *browser.WINDOWS_FOLDERS):
            patch.delenv(variable, raising=False)
        patch.setattr(sys, "platform", "linux")
        patch.setattr(browser, "MACOS", ())
        patch.setattr(browser, "sync_playwright", self._playwright)
        patch.setattr(system, "run", self._run)
        patch.setattr(os, "geteuid", lambda: 1000)

    def add(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("#!/bin/sh\n")
        path.chmod(0o755)
        return path

    @contextmanager
    def _playwright(self) -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(chromium=SimpleNamespace(executable_path=str(self.downloads / "chrome")))

    def _run(self, *command: str, quiet: bool = False) -> bool:
        self.ran.append(command)
        if command[0] == "sudo" and command[2] == "true":
            return self.sudo
        if command[-1] == "--version":
            return Path(command[0]) not in self.broken
        if command[-2:] == ("apt-get", "update"):
            return True
        for word, left in self.installs.items():
            if word in command:
                self.add(left)
                return True
        return False

    def used(self, word: str) -> bool:
        return any(word in command for command in self.ran)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


@pytest.mark.parametrize("name", browser.NAMES)
def test_installed_browser_is_used_as_it_is(machine: Machine, name: str) -> None:
    installed = machine.add(machine.path / name)
    assert browser.find_or_install() == installed
    assert machine.ran == [(str(installed), "--version")]


@pytest.mark.parametrize("variable", browser.VARIABLES)
def test_variable_comes_first(machine: Machine, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    machine.add(machine.path / "chromium")
    named = machine.add(machine.downloads / "mine")
    monkeypatch.setenv(variable, str(named))
    assert browser.find_or_install() == named


def test_variable_that_names_no_browser_is_an_error(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.add(machine.path / "chromium")
    monkeypatch.setenv("CHROME_PATH", str(machine.downloads / "missing"))
    with pytest.raises(browser.BrowserError, match=r"CHROME_PATH: .*missing"):
        browser.find_or_install()


def test_stub_that_does_not_run_is_passed_over(machine: Machine) -> None:
    machine.broken.add(machine.add(machine.path / "chromium-browser"))
    chrome = machine.add(machine.path / "google-chrome")
    assert browser.find_or_install() == chrome


def test_usual_place_on_macos(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    chrome = machine.add(machine.downloads / "Google Chrome")
    monkeypatch.setattr(browser, "MACOS", (str(chrome),))
    assert browser.find_or_install() == chrome


def test_usual_place_on_windows(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(browser.shutil, "which", lambda name: None)  # it asks the system, which is none
    monkeypatch.setenv("LOCALAPPDATA", str(machine.downloads))
    chrome = machine.add(machine.downloads / browser.WINDOWS[0])
    assert browser.find_or_install() == chrome
    assert machine.ran == []


def test_earlier_download_of_playwright_is_used(machine: Machine) -> None:
    chrome = machine.add(machine.downloads / "chrome")
    assert browser.find_or_install() == chrome
    assert not machine.used("install")


@pytest.mark.parametrize("root", [True, False])
def test_debians_package_where_it_may_be_installed(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, root: bool
) -> None:
    machine.add(machine.path / "apt-get")
    machine.add(machine.path / "sudo")
    machine.sudo = True
    monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
    machine.installs["apt-get"] = machine.path / "chromium"
    assert browser.find_or_install() == machine.path / "chromium"
    assert machine.used("sudo") is not root


def test_download_where_debians_package_may_not_be_installed(machine: Machine) -> None:
    machine.add(machine.path / "apt-get")
    machine.add(machine.path / "sudo")
    machine.installs = {"apt-get": machine.path / "chromium", "playwright": machine.downloads / "chrome"}
    assert browser.find_or_install() == machine.downloads / "chrome"
    assert not machine.used("apt-get")


def test_download_where_debians_package_fails(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.add(machine.path / "apt-get")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    machine.installs["playwright"] = machine.downloads / "chrome"
    assert browser.find_or_install() == machine.downloads / "chrome"
    assert machine.used("apt-get")


def test_no_browser_is_an_error_that_says_what_to_do(machine: Machine) -> None:
    with pytest.raises(browser.BrowserError, match="install Chrome or Chromium"):
        browser.find_or_install()


def test_installer_that_leaves_nothing_is_no_success(machine: Machine) -> None:
    machine.installs["playwright"] = machine.downloads / "not-where-it-should-be"
    with pytest.raises(browser.BrowserError, match="CHROME_PATH"):
        browser.find_or_install()
