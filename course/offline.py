"""The site as one file: a zip, the same for the same site, that works where it is unpacked."""

import io
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

FOLDER = "gradient-methods"  # in the zip: unpacking it litters no one's desktop
LIMIT = 15_000_000  # bytes
LONG_AGO = (1980, 1, 1, 0, 0, 0)  # when a site was built is no part of it
READABLE = 0o644 << 16
UNIX = 3


class OfflineError(RuntimeError):
    """The site cannot be packed."""


def pack(site: Path, target: Path) -> Path:
    """Write the built site into one zip file.

    Parameters
    ----------
    site
        The folder of the built site, ``_build/html``.
    target
        The zip file; its folder is made if there is none.

    Returns
    -------
    Path
        `target`.

    Raises
    ------
    OfflineError
        If `site` holds no site, or if the zip would be larger than ``LIMIT``; nothing is written then.
    """
    if not (site / "index.html").is_file():
        raise OfflineError(f"site: {site} has no index.html; call `course build` first")
    packed = io.BytesIO()
    with ZipFile(packed, "w") as archive:
        for path in sorted(path for path in site.rglob("*") if path.is_file()):
            entry = ZipInfo(f"{FOLDER}/{path.relative_to(site).as_posix()}", LONG_AGO)
            entry.external_attr, entry.create_system = READABLE, UNIX
            archive.writestr(entry, path.read_bytes(), ZIP_DEFLATED, 9)
    size = len(packed.getvalue())
    if size > LIMIT:
        raise OfflineError(
            f"site: {size / 1e6:.1f} MB zipped, more than {LIMIT / 1e6:.0f}; make its figures smaller"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(packed.getvalue())
    return target
