"""The child that typesets one page: reads its orders from standard input, answers on standard output, and ends."""

import base64
import io
import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

MEMORY_BYTES = 2 * 1024**3
CPU_SECONDS = 40
NAMESPACE = "https://konsilium.example/ns/print/1.0/"
# PDF/A wants each property that isn't one of its own to be described in the file (ISO 19005-2, 6.6.2.3.3).
SCHEMA = f"""<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Konsilium print form</pdfaSchema:schema>
<pdfaSchema:namespaceURI>{NAMESPACE}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>konsilium</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq><rdf:li rdf:parseType="Resource">
<pdfaProperty:name>document</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>
<pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>What the form says, as JSON</pdfaProperty:description>
</rdf:li></rdf:Seq></pdfaSchema:property></rdf:li></rdf:Bag></pdfaExtension:schemas></rdf:Description>
<rdf:Description rdf:about="" xmlns:konsilium="{NAMESPACE}"><konsilium:document>%s</konsilium:document></rdf:Description>
"""
TYPES = {"svg": "image/svg+xml", "png": "image/png", "jpg": "image/jpeg"}
# Whole faces: of faces in pieces, one for each script, letters of one piece were read back as letters of another.
FACES = (
    ("400Regular", 400, "normal"),
    ("400Regular_Italic", 400, "italic"),
    ("700Bold", 700, "normal"),
    ("700Bold_Italic", 700, "italic"),
)


def main() -> None:
    """Typeset what standard input asks for."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    asked = json.load(sys.stdin)
    pdf, pages = _made(asked)
    answer = {"pdf": base64.b64encode(pdf).decode(), "pages": pages, "cpu_seconds": time.process_time()}
    sys.stdout.write(json.dumps(answer))


def _made(asked: dict[str, Any]) -> tuple[bytes, int]:
    # Here, so that whoever only asks doesn't load it.
    from weasyprint import CSS, HTML  # noqa: PLC0415
    from weasyprint.text.fonts import FontConfiguration  # noqa: PLC0415

    fetch = _fetcher({name: base64.b64decode(data) for name, data in asked["pictures"].items()})
    fonts = FontConfiguration()
    faces = CSS(string=_faces(Path(asked["fonts"])), font_config=fonts)
    page = HTML(string=asked["page"], url_fetcher=fetch, base_url="print:page")
    document = page.render(stylesheets=[faces], font_config=fonts)
    document.metadata.created = document.metadata.modified = asked["made"]
    document.metadata.generate_rdf_metadata = _with_data(
        document.metadata.generate_rdf_metadata, asked["metadata"]
    )
    out = io.BytesIO()
    document.write_pdf(out, pdf_variant="pdf/a-2b", pdf_tags=True, pdf_identifier=asked["made"].encode())
    return out.getvalue(), len(document.pages)


def _fetcher(pictures: dict[str, bytes]) -> Any:
    """Return what answers for pictures that were given, and for nothing else in the world."""
    from weasyprint.urls import URLFetcher, URLFetcherResponse  # noqa: PLC0415

    class Given(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            name = url.removeprefix("print:")
            if name == url or name not in pictures:
                raise ValueError("not given")
            return URLFetcherResponse(url, pictures[name], {"Content-Type": TYPES[name.rpartition(".")[2]]})

    return Given(allowed_protocols=())


def _faces(folder: Path) -> str:
    return "".join(
        f"@font-face {{ font-family: 'PT Sans'; font-weight: {weight}; font-style: {style};"
        f" src: url({(folder / f'PTSans_{name}.ttf').as_uri()}) }}"
        for name, weight, style in FACES
    )


def _with_data(generate: Callable[..., bytes], data: str) -> Callable[..., bytes]:
    """Put our data into the one RDF block that a PDF/A may have."""
    more = (SCHEMA % escape(data)).encode()

    def generated(*args: Any) -> bytes:
        return generate(*args).replace(b"</rdf:RDF>", more + b"</rdf:RDF>")

    return generated


if __name__ == "__main__":
    main()
