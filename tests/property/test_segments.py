"""Segments: parts join to the text, none is longer than a message, and counting and cutting agree."""

from hypothesis import given
from hypothesis import strategies as st

from outrider.channels.sms.alphabet import Alphabet, alphabet_of, decode_gsm, decode_message, encode
from outrider.channels.sms.segments import ReferenceSize, count, parts, without_header

sizes = st.sampled_from(ReferenceSize)
gsm_text = st.text(
    st.sampled_from(
        "abcXYZ 0189@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà\f^{}\\[~]|€"
    ),
    max_size=700,
)
any_text = st.text(max_size=300) | st.text(st.sampled_from("ab💧Ж€"), max_size=500)


@given(gsm_text)
def test_gsm_text_is_sent_in_seven_bits_and_read_back(text: str) -> None:
    assert alphabet_of(text) is Alphabet.GSM_7
    octets = encode(text, Alphabet.GSM_7)
    assert all(octet < 0x80 for octet in octets)
    assert decode_gsm(octets) == text


@given(st.one_of(gsm_text, any_text), st.integers(0, 0xFFFF), sizes)
def test_parts_join_to_the_text(text: str, reference: int, size: ReferenceSize) -> None:
    alphabet, made = parts(text, reference, size)
    counted = count(text, size)
    assert (counted.alphabet, counted.segments) == (alphabet, len(made))
    assert counted.characters == len(text)
    unit = 1 if alphabet is Alphabet.GSM_7 else 2
    if len(made) == 1:
        assert len(made[0]) == counted.units * unit
        joined = decode_message(made[0], alphabet.data_coding)
    else:
        used = 0
        pieces = []
        for number, octets in enumerate(made, 1):
            piece, part = without_header(octets)
            header = len(octets) - len(piece)
            assert part is not None
            assert (part.total, part.number) == (len(made), number)
            assert part.reference == reference & (0xFF if size is ReferenceSize.BITS_8 else 0xFFFF)
            room = (140 - header) * 8 // 7 if alphabet is Alphabet.GSM_7 else 140 - header
            assert len(piece) <= room
            used += len(piece)
            pieces.append(decode_message(piece, alphabet.data_coding))
        assert used == counted.units * unit
        joined = "".join(pieces)
    assert joined == text
    assert counted.left_in_last >= 0


@given(st.one_of(gsm_text, any_text), sizes)
def test_one_more_unit_fits_exactly_while_some_are_left(text: str, size: ReferenceSize) -> None:
    counted = count(text, size)
    filler = "a"
    assert count(text + filler * counted.left_in_last, size).segments == counted.segments
    assert count(text + filler * (counted.left_in_last + 1), size).segments > counted.segments
