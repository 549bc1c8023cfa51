"""The telephone audio of far ends: G.711 mu-law as the standard's table has it, tones of the right pitch."""

import numpy as np
import pytest
from tools.testbed.speech_files import RATE, fax_tone, mu_law, silence


@pytest.mark.parametrize(
    ("sample", "code"), [(0, 0xFF), (-1, 0x7F), (32767, 0x80), (-32768, 0x00), (1000, 0xCE), (-1000, 0x4E)]
)
def test_samples_have_the_codes_of_g711(sample: int, code: int) -> None:
    assert mu_law(np.array([sample], dtype=np.int16)) == bytes([code])


def test_a_fax_calls_with_1100_hertz() -> None:
    tone = fax_tone()
    beep = tone[: RATE // 2].astype(np.float64)
    loudest = int(np.argmax(np.abs(np.fft.rfft(beep)))) * RATE / len(beep)
    assert loudest == pytest.approx(1100, abs=2)
    assert not tone[RATE // 2 : 3 * RATE].any()


def test_silence_lasts_as_long_as_it_says() -> None:
    assert len(silence(0.25)) == RATE // 4
