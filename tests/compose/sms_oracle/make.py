"""Ask npm's sms-segments-calculator 1.3.0 about seeded texts and write its answers to answers.json.

Run by hand: `python tests/compose/sms_oracle/make.py`; needs node and npm, installs the package in a temporary folder.
"""

from __future__ import annotations

import json
import random
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
POOLS = {
    "plain": list("abcdefghij klmnop qrstuvwxyz ABCDE 0123456789 .,!?@£$ÄÖÜäöüñàéèß\n"),
    "extension": list("abc de fgh 012 €[]{}^~|\\"),
    "accents": list("abc deâêîçőłşğ Łódź ÿ"),
    "cyrillic": list("привет мир как дела 0123 "),
    "arabic": list("مرحبا بكم في المصرف ١٢٣ "),
    "japanese": list("ご利用明細書のお知らせ日本語、。0123"),
    "emoji": ["a", "b ", "👍", "🎉", "👍🏽", "👨‍👩‍👧", "🇩🇪", "🇫🇷", "❤️", "☃", "1️⃣"],
    "marks": ["a", "e\u0301", "o\u0308\u0323", "q\u0303", "n", " ", "ก็", "นี้"],
    "quotes": list("it’s “so” – ok… abc def "),
}
LENGTHS = (
    0,
    1,
    20,
    34,
    35,
    36,
    66,
    67,
    68,
    69,
    70,
    71,
    72,
    133,
    134,
    135,
    152,
    153,
    154,
    159,
    160,
    161,
    162,
    201,
    305,
    306,
    307,
    400,
    459,
    460,
)


def texts() -> list[str]:
    """Return the seeded texts: every pool at every length, and some of mixed pools."""
    draw = random.Random(20261121)
    found = ["".join(draw.choices(pool, k=length)) for pool in POOLS.values() for length in LENGTHS]
    for _ in range(60):
        pool = [item for name in draw.sample(sorted(POOLS), 2) for item in POOLS[name]]
        found.append("".join(draw.choices(pool, k=draw.randint(1, 320))))
    return found


def main() -> None:
    """Write answers.json."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "install", "--silent", "--prefix", folder, "sms-segments-calculator@1.3.0"], check=True)
        script = Path(folder) / "answer.cjs"
        script.write_text((HERE / "answer.cjs").read_text())
        given = json.dumps(texts()).encode()
        answers = json.loads(subprocess.run(["node", script], input=given, capture_output=True, check=True).stdout)
    lines = ",\n".join(json.dumps(answer, ensure_ascii=False) for answer in answers)
    (HERE / "answers.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
