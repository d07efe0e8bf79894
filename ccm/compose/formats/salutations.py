"""How a message greets: per language, by the whole name, never by guessing a gender."""

from __future__ import annotations

# With the name, without it. Forms that fit every gender, as large companies use them in writing.
_GREETINGS: dict[str, tuple[str, str]] = {
    "ar": ("مرحبًا {name}،", "مرحبًا،"),
    "bg": ("Здравейте, {name}!", "Здравейте!"),
    "ca": ("Hola, {name}:", "Hola:"),
    "cs": ("Dobrý den, {name},", "Dobrý den,"),
    "da": ("Kære {name}", "Hej"),
    "de": ("Guten Tag {name},", "Guten Tag,"),
    "el": ("Γεια σας, {name},", "Γεια σας,"),
    "en": ("Dear {name},", "Hello,"),
    "es": ("Hola, {name}:", "Hola:"),
    "et": ("Tere, {name}!", "Tere!"),
    "fa": ("سلام {name}،", "سلام،"),
    "fi": ("Hei {name},", "Hei,"),
    "fr": ("Bonjour {name},", "Bonjour,"),
    "he": ("שלום {name},", "שלום,"),
    "hi": ("नमस्ते {name},", "नमस्ते,"),
    "hr": ("Dobar dan, {name},", "Dobar dan,"),
    "hu": ("Tisztelt {name}!", "Jó napot kívánunk!"),
    "id": ("Halo {name},", "Halo,"),
    "it": ("Buongiorno {name},", "Buongiorno,"),
    "ja": ("{name} 様", "お客様"),
    "ko": ("{name} 님께", "고객님께"),
    "lt": ("Laba diena, {name},", "Laba diena,"),
    "lv": ("Labdien, {name}!", "Labdien!"),
    "nb": ("Hei {name},", "Hei,"),
    "nl": ("Beste {name},", "Goedendag,"),
    "no": ("Hei {name},", "Hei,"),
    "pl": ("Dzień dobry, {name},", "Dzień dobry,"),
    "pt": ("Olá, {name},", "Olá,"),
    "ro": ("Bună ziua, {name},", "Bună ziua,"),
    "ru": ("Здравствуйте, {name}!", "Здравствуйте!"),
    "sk": ("Dobrý deň, {name},", "Dobrý deň,"),
    "sl": ("Pozdravljeni, {name},", "Pozdravljeni,"),
    "sr": ("Добар дан, {name},", "Добар дан,"),
    "sv": ("Hej {name},", "Hej,"),
    "th": ("เรียน คุณ{name}", "เรียน ลูกค้า"),
    "tr": ("Merhaba {name},", "Merhaba,"),
    "uk": ("Добрий день, {name}!", "Добрий день!"),
    "vi": ("Kính gửi {name},", "Kính gửi Quý khách,"),
    "zh": ("{name}，您好：", "您好："),
}


def greeting(language: str, name: str) -> str:
    """Return the opening line with its punctuation; English where we know no other.

    Args:
        language: BCP 47 tag.
        name: As the customer gave it; empty gives the form without a name.
    """
    named, nameless = _GREETINGS.get(language.partition("-")[0], _GREETINGS["en"])
    name = " ".join(name.split())
    return named.replace("{name}", name) if name else nameless
