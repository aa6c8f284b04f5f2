"""Pictures for the demo page: from a file, by drag and drop, the camera, and what is refused."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import browsers
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.browser

Visit = Callable[..., Any]
COLOURS = {"blue": (30, 40, 220), "green": (20, 200, 60), "red": (230, 40, 30)}


@pytest.fixture(scope="module")
def address(
    put_site: Callable[[Path, str], Path], server: Any, tmp_path_factory: pytest.TempPathFactory
) -> str:
    """The site of a net that tells red, green and blue pictures apart."""
    import keras
    from keras import layers

    from edgekit.cli import run_command_line

    folder = tmp_path_factory.mktemp("colours")
    image = keras.Input((48, 48, 3), name="image")
    x = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))
    dense = layers.Dense(3, activation="softmax", name="colour")
    model = keras.Model(image, dense(x))
    # Channels are red, green, blue; classes are in the order of their names.
    dense.set_weights([12 * np.eye(3, dtype=np.float32)[:, ::-1], np.zeros(3, np.float32)])
    model.save(folder / "colours.keras")
    generator = np.random.default_rng(5)
    for name, colour in COLOURS.items():
        (folder / "photos" / name).mkdir(parents=True)
        for number in range(4):
            pixels = np.clip(generator.normal(colour, 20, (60, 80, 3)), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / "photos" / name / f"{number}.png")
    (folder / "classes.txt").write_text("\n".join(COLOURS))
    words = ["convert", folder / "colours.keras", "--to", "tfjs", "--recipe", "fp32"]
    words += ["--calibration", folder / "photos", "--classes", folder / "classes.txt"]
    bundle = folder / "colours.edgekit"
    assert run_command_line([str(word) for word in (*words, "-o", bundle)]) == 0
    put_site(bundle, "colours")
    return str(server.url("colours"))


def picture(path: Path, colour: str, size: tuple[int, int] = (320, 200)) -> Path:
    Image.new("RGB", size, COLOURS[colour]).save(path)
    return path


def test_a_chosen_image_is_told_by_its_colour(
    visitor: Visit, address: str, tmp_path: Path, pictures: Path
) -> None:
    visit = visitor()
    visit.go(address)
    # The page begins with the first sample, a blue one.
    for colour in ("red", "green", "blue"):
        visit.page.set_input_files("#file", picture(tmp_path / f"{colour}.png", colour))
        visit.answer(colour, least=90)
        assert visit.text("#original").strip() == ""
    assert visit.page.locator("#samples [aria-pressed=true]").count() == 0
    assert visit.axe_faults() == []
    visit.page.screenshot(path=pictures / "demo-image.png", full_page=True)


def test_the_samples_of_the_bundle_are_shown_as_pictures(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.go(address)
    buttons = visit.page.locator("#samples button")
    assert buttons.count() == 12
    # Four of each colour. The page begins with the first.
    for number, colour in ((5, "green"), (11, "red"), (0, "blue")):
        buttons.nth(number).click()
        said = visit.note("original", f"The original says {colour}")
        assert visit.text("#answer strong") == colour
        assert "The same answer" in said


def test_an_image_can_be_dropped_anywhere_on_the_page(
    visitor: Visit, address: str, tmp_path: Path
) -> None:
    visit = visitor()
    visit.go(address)
    content = base64.b64encode(picture(tmp_path / "green.png", "green").read_bytes()).decode()
    drop = """(content) => {
      const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], 'green.png', {type: 'image/png'}));
      document.querySelector('h1').dispatchEvent(
        new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true}));
    }"""
    visit.page.evaluate(drop, content)
    visit.answer("green")


def test_what_is_not_an_image_is_said_not_to_be_one_and_the_last_answer_stays(
    visitor: Visit, address: str, tmp_path: Path
) -> None:
    visit = visitor()
    visit.go(address)
    visit.settle()
    before = visit.text("#answer")
    (tmp_path / "letter.png").write_text("Dear Sir or Madam")
    visit.page.set_input_files("#file", tmp_path / "letter.png")
    visit.note("status", "'letter.png' is not an image that this browser can read.")
    assert visit.text("#answer") == before


def test_an_image_of_60_megapixels_is_scaled_and_one_of_130_refused(
    visitor: Visit, address: str, tmp_path: Path
) -> None:
    visit = visitor()
    visit.go(address)
    visit.settle()
    large = Image.new("P", (10_000, 6_000))
    large.putpalette(COLOURS["red"])
    large.save(tmp_path / "large.png")
    visit.page.set_input_files("#file", tmp_path / "large.png")
    visit.note("status", "'large.png', scaled to")
    visit.answer("red")
    Image.new("1", (13_000, 10_000)).save(tmp_path / "huge.png")
    visit.page.set_input_files("#file", tmp_path / "huge.png")
    said = visit.note("status", "'huge.png' has 130 million pixels")
    assert "Scale it down first." in said
    assert visit.text("#answer strong") == "red"


def test_an_image_that_opens_late_does_not_displace_one_chosen_after_it(
    visitor: Visit, address: str, tmp_path: Path
) -> None:
    visit = visitor()
    visit.go(address)
    visit.settle()
    visit.page.evaluate("""() => {
      const unpack = createImageBitmap;
      window.unpacked = 0;
      window.createImageBitmap = async (...given) => {
        const bitmap = await unpack(...given);
        window.unpacked += 1;
        return bitmap;
      };
    }""")
    for name, colour, size in (("large", "red", 7_000), ("small", "green", 7)):
        image = Image.new("P", (size, size))
        image.putpalette(COLOURS[colour])
        image.save(tmp_path / f"{name}.png")
        visit.page.set_input_files("#file", tmp_path / f"{name}.png")
    browsers.wait_for(lambda: visit.page.evaluate("window.unpacked") == 2)
    visit.page.wait_for_timeout(300)
    visit.note("status", "'small.png', scaled to")
    visit.answer("green")


def test_the_camera_is_asked_for_on_a_click_only_and_filmed_live(
    visitor: Visit, address: str
) -> None:
    visit = visitor(permissions=["camera"])
    visit.go(address)
    assert visit.page.get_by_role("button", name="Use camera").is_enabled()
    visit.page.click("text=Use camera")
    # The pretended camera films a green wall.
    visit.answer("green")
    runs = visit.text("#latency-note")
    browsers.wait_for(lambda: visit.text("#latency-note") != runs)
    visit.page.click("text=Stop camera")
    visit.page.get_by_role("button", name="Use camera").wait_for()


def test_a_refused_camera_is_answered_with_what_else_there_is(visitor: Visit, address: str) -> None:
    visit = visitor()
    visit.go(address)
    visit.settle()
    visit.page.click("text=Use camera")
    visit.note("status", "The camera was refused. Allow it in the address bar, or open an image.")


def test_from_another_machine_over_plain_http_the_page_says_what_is_missing_and_works(
    visitor: Visit, address: str, server: Any, tmp_path: Path
) -> None:
    visit = visitor()
    visit.go(server.url("colours", "phone.test"))
    notice = visit.note("notices", "plain http")
    assert "no camera, no offline copy and no WebGPU. Everything else works." in notice
    assert visit.page.get_by_role("button", name="Use camera").is_disabled()
    visit.page.set_input_files("#file", picture(tmp_path / "blue.png", "blue"))
    visit.answer("blue")
