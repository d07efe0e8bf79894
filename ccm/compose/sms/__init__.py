"""Text messages: alphabets, transliteration and exact segments."""
