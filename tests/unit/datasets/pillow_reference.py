"""Writes pictures in many formats, and how Pillow shows them, for decode and resize tests.

Usage: pillow_reference.py OUT. For each OUT/name there is OUT/name.ppm, the expected RGB pixels;
OUT/crop-S-name.ppm is CLIP's resize and centre crop to S, OUT/resize-W-H-name.ppm a plain resize.
"""
import sys

import numpy as np
from PIL import Image, ImageOps

out = sys.argv[1]
rng = np.random.default_rng(7)


def smooth(height, width, channels):
    """Gradients with some noise: JPEG keeps its detail, and resizing has something to do."""
    y, x = np.mgrid[0:height, 0:width].astype(float)
    planes = [
        127 + 100 * np.sin(x / (5 + 3 * c)) * np.cos(y / (7 + c)) + rng.normal(0, 12, (height, width))
        for c in range(channels)
    ]
    return np.clip(np.stack(planes, -1), 0, 255).astype(np.uint8)


def save(name, expected, image, **options):
    image.save(f"{out}/{name}", **options)
    if expected is None:
        expected = ImageOps.exif_transpose(Image.open(f"{out}/{name}")).convert("RGB")
    expected.save(f"{out}/{name}.ppm")
    return expected


def over_white(image):
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


rgb = Image.fromarray(smooth(61, 83, 3))
grey = Image.fromarray(smooth(40, 33, 1)[:, :, 0])
save("rgb.jpg", None, rgb, quality=92)
save("progressive.jpg", None, rgb, quality=80, progressive=True)
save("chroma420.jpg", None, rgb, quality=85, subsampling=2)
save("grey.jpg", None, grey, quality=90)
save("cmyk.jpg", None, Image.fromarray(smooth(30, 44, 4), mode="CMYK"), quality=95)
for orientation in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = orientation
    save(f"turned{orientation}.jpg", None, rgb, quality=95, exif=exif)

save("rgb.png", None, rgb)
save("grey.png", None, grey)
save("bit.png", None, grey.convert("1"))
save("palette.png", None, rgb.quantize(17))
rgba = Image.fromarray(smooth(25, 31, 4))
save("rgba.png", over_white(rgba), rgba)
la = Image.fromarray(smooth(25, 31, 2), mode="LA")
save("grey_alpha.png", over_white(la), la)
transparent = rgb.quantize(9)
transparent.info["transparency"] = 3
transparent.save(f"{out}/palette_alpha.png", transparency=3)
over_white(Image.open(f"{out}/palette_alpha.png")).save(f"{out}/palette_alpha.png.ppm")
deep = (rng.random((20, 22)) * 65535).astype(np.uint16)
shallow = np.round(deep / 257.0).astype(np.uint8)
save("grey16.png", Image.fromarray(shallow).convert("RGB"), Image.fromarray(deep))

save("rgb.webp", None, rgb, quality=90)
save("lossless.webp", over_white(rgba), rgba, lossless=True, exact=True)
save("animated.webp", None, rgb, save_all=True, append_images=[rgb.rotate(180)], lossless=True)
save("palette.gif", None, rgb.quantize(40))
save("animated.gif", None, rgb.quantize(40), save_all=True, append_images=[rgb.rotate(180).quantize(9)])
save("rgb.bmp", None, rgb)
save("palette.bmp", None, rgb.quantize(30))
save("bit.bmp", None, grey.convert("1"))

noise = Image.fromarray(rng.integers(0, 256, (97, 131, 3), dtype=np.uint8))
save("noise.png", None, noise)
tall = noise.transpose(Image.Transpose.ROTATE_90)
save("tall.png", None, tall)
for width, height in [(131, 50), (40, 97), (224, 224), (1, 1), (13, 200), (96, 71)]:
    noise.resize((width, height), Image.Resampling.BICUBIC).save(
        f"{out}/resize-{width}-{height}-noise.png.ppm"
    )
for name, image in [("noise.png", noise), ("tall.png", tall)]:
    for size in (32, 48, 64, 97, 224):
        width, height = image.size
        shorter, longer = min(width, height), max(width, height)
        scaled = int(size * longer / shorter)
        target = (size, scaled) if width <= height else (scaled, size)
        resized = image.resize(target, Image.Resampling.BICUBIC)
        left, top = (target[0] - size) // 2, (target[1] - size) // 2
        resized.crop((left, top, left + size, top + size)).save(f"{out}/crop-{size}-{name}.ppm")
