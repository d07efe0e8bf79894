"""The composer of one template in one brand: facts first, then every channel that the communication has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jinja2 import Template as Compiled

from ccm.compose import context
from ccm.compose.email.capture import Sentinels
from ccm.compose.email.composer import EmailComposer
from ccm.compose.email.fillable import why_not_fillable
from ccm.compose.email.headers import safe_file_name
from ccm.compose.email.images import ImageShelf
from ccm.compose.email.markup import PageMaker, one_line, title_of
from ccm.compose.engine import Engine, OutputKind, render, render_page
from ccm.compose.facts import FactFailure, Statements, views
from ccm.compose.failure import ComposeFailure, failed
from ccm.compose.figures.page_functions import page_functions
from ccm.compose.folding import Folding
from ccm.compose.formats.locale_formats import formats_for
from ccm.compose.printing import Rendering, Voice
from ccm.compose.sms.segments import compose_sms
from ccm.compose.translations import Texts
from ccm.layout_engine import load_layout_engine
from ccm.model.definitions import Channel
from ccm.model.records import (
    Attachment,
    Communication,
    Composed,
    DocumentRendition,
    FactValue,
    Finding,
    PlannedPiece,
    Rendition,
    SocialRendition,
)
from ccm.model.workspace import Brand, ContentLibrary, Fragment, Template, Variant, VariantPart

_PAGE_KINDS = {True: (OutputKind.MJML, "email.mjml"), False: (OutputKind.HTML, "email.html")}
_ORDER = (Channel.DOCUMENT, Channel.EMAIL, Channel.SMS)  # the email carries the document


@dataclass
class _Work:
    """One communication while it is composed."""

    communication: Communication
    voice: Voice
    data: Mapping[str, object]
    facts: tuple[FactValue, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    renditions: dict[str, Rendition] = field(default_factory=dict)
    slow_paths: dict[Channel, str] = field(default_factory=dict)
    taught: dict[Channel, str] = field(default_factory=dict)
    card: Attachment | None = None
    card_made: bool = False
    seen: tuple[PlannedPiece, dict[str, Any]] | None = None


class Composer:
    """Makes every rendition of one template in one brand.

    Compiles on first use and remembers; keep one per thread. Pickling sends the definitions, and the
    worker compiles for itself.
    """

    def __init__(
        self, template: Template, brand: Brand, fragments: Mapping[str, Fragment], library: ContentLibrary
    ) -> None:
        self._template = template
        self._brand = brand
        self._fragments = fragments
        self._library = library
        self._brand_view = context.BrandView(brand)
        self._images = ImageShelf(template, brand, library)
        self._texts: dict[str, Texts] = {}
        self._engines: dict[tuple[OutputKind, tuple[str, ...]], Engine] = {}
        self._compiled: dict[str, Compiled] = {}
        self._emails: dict[str, EmailComposer] = {}
        self._documents: dict[str, Compiled] = {}

    def __reduce__(self) -> tuple[Callable[..., Composer], tuple[Any, ...]]:
        return Composer, (self._template, self._brand, self._fragments, self._library)

    def compose(self, communication: Communication) -> Composed:
        """Make every piece of a communication; one that fails does not stop the others.

        Returns:
            Renditions in the order of the pieces, facts in declared order, and what was found. A piece
            without a rendition has a finding that says why.
        """
        work = _Work(communication, self._voice(communication), communication.data)
        try:
            if not communication.is_broadcast:
                work.data = self._statements.derived(communication.data, work.voice)
        except ComposeFailure as failure:
            work.findings += [failed(piece, failure) for piece in communication.pieces]
            return Composed(communication, (), (), tuple(work.findings))
        self._tell_facts(work)
        for piece in sorted(communication.pieces, key=_turn):
            try:
                self._compose_piece(work, piece)
            except ComposeFailure as failure:
                work.findings.append(failed(piece, failure))
        made = tuple(work.renditions[one.piece_id] for one in communication.pieces if one.piece_id in work.renditions)
        return Composed(
            communication,
            work.facts,
            made,
            tuple(work.findings),
            work.slow_paths,
            work.data,
            tuple(dict.fromkeys(work.voice.computed)),
            work.taught,
        )

    def _voice(self, communication: Communication) -> Voice:
        language = communication.language
        formats = formats_for(language, communication.locale, communication.zone)
        texts = self._texts.get(language)
        if texts is None:
            shared = {
                f"fragments/{name}": one.catalogues[language]
                for name, one in self._fragments.items()
                if language in one.catalogues
            }
            texts = self._texts[language] = Texts(self._template.catalogues.get(language), shared)
        return Voice(language, formats.direction, formats, texts)

    def _tell_facts(self, work: _Work) -> None:
        if not work.communication.pieces:
            return
        piece = work.communication.pieces[0]
        variables = self._variables(work, piece)
        facts, failures = self._statements.facts(variables, work.voice, broadcast=work.communication.is_broadcast)
        work.facts = facts
        work.findings += _fact_findings(failures, work.communication.pieces)

    def _variables(self, work: _Work, piece: PlannedPiece) -> dict[str, Any]:
        """Return what the templates of a piece see; what the facts were made of is kept for the first piece."""
        if work.seen is None or work.seen[0] is not piece:
            work.seen = piece, self._seen(work, piece)
        return {**work.seen[1], "facts": views(work.facts)}

    def _seen(self, work: _Work, piece: PlannedPiece) -> dict[str, Any]:
        communication = work.communication
        brand = self._brand_view.of(communication.language, piece.channel)
        unsubscribe = context.unsubscribe_url(self._brand.definition, communication)
        return {
            **work.data,
            "parameters": communication.parameters,
            "brand": brand,
            "tokens": self._brand_view.tokens,
            "message": context.message_view(communication, piece, unsubscribe, work.voice.formats),
            "locale": context.locale_view(work.voice),
        }

    # ── one channel each ─────────────────────────────────────────────────────

    def _compose_piece(self, work: _Work, piece: PlannedPiece) -> None:
        variables = self._variables(work, piece)
        if piece.channel is Channel.EMAIL:
            self._email(work, piece, variables)
        elif piece.channel is Channel.DOCUMENT:
            self._document(work, piece, variables)
        elif piece.channel is Channel.SMS:
            text = self._rendered_text(self._variant(Channel.SMS), ("sms.txt",), variables, work.voice)
            rules = self._template.definition.sms
            self._keep(work, piece, *compose_sms(text, piece.piece_id, rules, rules.max_segments))
        else:
            self._social(work, piece, variables)

    def _keep(self, work: _Work, piece: PlannedPiece, rendition: Rendition | None, findings: Sequence[Finding]) -> None:
        work.findings += findings
        if rendition is not None:
            work.renditions[piece.piece_id] = rendition

    def _email(self, work: _Work, piece: PlannedPiece, variables: Mapping[str, Any]) -> None:
        unsubscribe = context.unsubscribe_url(self._brand.definition, work.communication)
        rendition, slow = self._email_composer(work.voice).compose(
            work.communication, piece, variables, work.voice, unsubscribe, self._attached(work)
        )
        if slow:
            work.slow_paths[Channel.EMAIL] = slow
        self._keep(work, piece, rendition, ())

    def _attached(self, work: _Work) -> tuple[Attachment, ...]:
        if not self._template.definition.document.attach_to_email:
            return ()
        return tuple(
            Attachment(one.filename, "application/pdf", one.content, one.title)
            for one in work.renditions.values()
            if isinstance(one, DocumentRendition)
        )

    def _document(self, work: _Work, piece: PlannedPiece, variables: Mapping[str, Any]) -> None:
        html = render_page(self._document_page(work.voice), variables, Rendering(work.voice, "<br/>"))
        rendition, findings, slow = self._document_composer.compose(
            html,
            piece=piece,
            language=work.voice.language,
            direction=work.voice.direction,
            issued_at=work.communication.issued_at,
            filename=self._file_name(work, piece, variables),
        )
        if slow and rendition is not None:
            work.slow_paths[Channel.DOCUMENT] = slow
        if self._document_composer.taught:
            work.taught[Channel.DOCUMENT] = self._document_composer.taught
        self._keep(work, piece, rendition, findings)

    def _file_name(self, work: _Work, piece: PlannedPiece, variables: Mapping[str, Any]) -> str:
        source = self._template.definition.document.filename
        path = f"{self._template.root}/template.yaml"
        known = self._compiled.get(path)
        if known is None:
            known = self._compiled[path] = self._engine(OutputKind.TEXT, ("document.txt",)).compile(source, path)
        return safe_file_name(render(known, variables, Rendering(work.voice)), f"{piece.piece_id}.pdf")

    def _social(self, work: _Work, piece: PlannedPiece, variables: Mapping[str, Any]) -> None:
        from ccm.compose.social.posts import compose_social

        forms = (f"social.{piece.channel}.txt", "social.txt")
        text = self._rendered_text(self._variant(piece.channel), forms, variables, work.voice)
        if not work.card_made:
            work.card, work.card_made = self._card(work, piece, variables), True
        rendition: SocialRendition | None
        rendition, findings = compose_social(text, piece, work.voice.language, work.card)
        self._keep(work, piece, rendition, findings)

    def _card(self, work: _Work, piece: PlannedPiece, variables: Mapping[str, Any]) -> Attachment | None:
        variant = next((one for (_, part), one in self._template.variants.items() if part is VariantPart.CARD), None)
        if variant is None:
            return None
        engine = self._engine(OutputKind.HTML, ("card.html", "document.html"), self._images.in_document)
        html = render(self._compile(engine, variant), variables, Rendering(work.voice, "<br/>"))
        content, problems = self._card_renderer.render_card(
            html, language=work.voice.language, direction=work.voice.direction
        )
        work.findings += [problem.as_finding(piece.piece_id, piece.channel) for problem in problems]
        alt = one_line(title_of(html))
        return Attachment("card.png", "image/png", content, alt) if content else None

    # ── compiled once ────────────────────────────────────────────────────────

    def _rendered_text(
        self, variant: Variant, forms: tuple[str, ...], variables: Mapping[str, Any], voice: Voice
    ) -> str:
        engine = self._engine(OutputKind.TEXT, forms)
        return render(self._compile(engine, variant), variables, Rendering(voice)).strip()

    def _variant(self, channel: Channel) -> Variant:
        variant = self._template.body(channel)
        if variant is None:
            raise ComposeFailure(
                "missing-variant",
                f"the template has no form for {channel}",
                f"add it to {self._template.root}, or drop the channel",
            )
        return variant

    def _compile(self, engine: Engine, variant: Variant) -> Compiled:
        known = self._compiled.get(variant.path)
        if known is None:
            known = self._compiled[variant.path] = engine.compile(variant.source, variant.path)
        return known

    def _engine(self, kind: OutputKind, forms: tuple[str, ...], asset: Callable[[str], str] | None = None) -> Engine:
        known = self._engines.get((kind, forms))
        if known is None:
            functions = {**self._figures, "asset": asset or self._images.in_document}
            known = Engine(kind, forms=forms, fragments=self._fragments, library=self._library, functions=functions)
            self._engines[kind, forms] = known
        return known

    @cached_property
    def _figures(self) -> Mapping[str, Callable[..., Any]]:
        return page_functions(self._brand)

    @cached_property
    def _statements(self) -> Statements:
        return Statements(self._template.definition, self._template.root, self._engine(OutputKind.TEXT, ("text.txt",)))

    def _email_composer(self, voice: Voice) -> EmailComposer:
        """Return the composer of one language's emails; its templates have the language's texts in them."""
        known = self._emails.get(voice.language)
        if known is None:
            known = self._emails[voice.language] = self._make_email_composer(voice)
        return known

    def _make_email_composer(self, voice: Voice) -> EmailComposer:
        page = self._variant(Channel.EMAIL)
        text = self._template.variants.get((Channel.EMAIL, VariantPart.TEXT))
        is_mjml = page.path.endswith(".mjml")
        engine = self._email_engine(*_PAGE_KINDS[is_mjml], voice)
        text_engine = self._email_engine(OutputKind.TEXT, "email.txt", voice)
        return EmailComposer(
            engine.compile(page.source, page.path),
            text_engine.compile(text.source, text.path) if text is not None else None,
            PageMaker(self._brand.tokens, is_mjml=is_mjml),
            self._sentinels,
            self._images,
            self._brand.definition,
            why_not_fillable(engine, page.source),
        )

    def _email_engine(self, kind: OutputKind, form: str, voice: Voice) -> Engine:
        return self._folding_engine(kind, form, voice, Channel.EMAIL, self._images.in_email)

    def _document_page(self, voice: Voice) -> Compiled:
        """Return the document's template with one language's texts in it."""
        known = self._documents.get(voice.language)
        if known is None:
            page = self._variant(Channel.DOCUMENT)
            find = self._images.in_document
            engine = self._folding_engine(OutputKind.HTML, "document.html", voice, Channel.DOCUMENT, find)
            known = self._documents[voice.language] = engine.compile(page.source, page.path)
        return known

    def _folding_engine(
        self, kind: OutputKind, form: str, voice: Voice, channel: Channel, asset: Callable[[str], str]
    ) -> Engine:
        """Return an engine for one language: what is the same for all its readers is worked out while compiling."""
        constants = {
            "brand": self._brand_view.of(voice.language, channel),
            "tokens": self._brand_view.tokens,
            "locale": {name: text for name, text in context.locale_view(voice).items() if name != "territory"},
        }
        return Engine(
            kind,
            forms=(form,),
            fragments=self._fragments,
            library=self._library,
            functions={**self._figures, "asset": asset},
            folding=Folding(constants, {"asset": asset}, voice.texts),
            marks_loops=channel is Channel.DOCUMENT,
        )

    @cached_property
    def _sentinels(self) -> Sentinels:
        return Sentinels(self._authored_sources)

    @property
    def _authored_sources(self) -> tuple[str, ...]:
        forms = [self._library.text(path) for one in self._fragments.values() for path in one.forms.values()]
        brand = self._brand.definition.model_dump_json()
        catalogues = [repr(one.messages) for one in self._template.catalogues.values()]
        catalogues += [repr(one.messages) for part in self._fragments.values() for one in part.catalogues.values()]
        return (*(variant.source for variant in self._template.variants.values()), *forms, brand, *catalogues)

    @cached_property
    def _document_composer(self) -> Any:
        load_layout_engine()
        from ccm.compose.document.composer import DocumentComposer  # 2 s to import

        return DocumentComposer(self._template, self._brand, self._library)

    @cached_property
    def _card_renderer(self) -> Any:
        load_layout_engine()
        from ccm.compose.document.card import CardRenderer  # as above

        return CardRenderer(self._template, self._brand, self._library)


def _turn(piece: PlannedPiece) -> int:
    return _ORDER.index(piece.channel) if piece.channel in _ORDER else len(_ORDER)


def _fact_findings(failures: Sequence[FactFailure], pieces: Sequence[PlannedPiece]) -> list[Finding]:
    return [failed(piece, failure) for failure, channels in failures for piece in pieces if piece.channel in channels]
