"""Writes pictures of all kinds, and what Pillow and transformers make of them.

    preprocess.py OUT_DIR

Each line of OUT_DIR/index.txt is "NAME SIZES": the picture OUT_DIR/NAME; OUT_DIR/NAME.stored.ppm is
Image.open().convert("RGB"), NAME.shown.ppm what transformers makes of the upright picture
(both left out where large), NAME.SIZE.ppm what CLIPImageProcessor makes of the first, for each size;
NAME.squash2.ppm and NAME.squash3.ppm what SiglipImageProcessor does by the two filters, for the first size;
NAME.pixels are the normalised float32 of the first size.
"""

import struct
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageOps
from sklearn.datasets import load_sample_images
from transformers import CLIPImageProcessor
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.image_transforms import convert_to_rgb

import pictures

OUT = Path(sys.argv[1])
RNG = np.random.default_rng(11)
SIZES = (224, 64, 97)
PROCESSORS = {}
INDEX = []


def processor(size):
    if size not in PROCESSORS:
        PROCESSORS[size] = CLIPImageProcessor(size={"shortest_edge": size},
                                              crop_size={"height": size, "width": size})
    return PROCESSORS[size]


def ppm(name, array):
    Image.fromarray(array).save(OUT / f"{name}.ppm")


def expect(name, sizes=SIZES):
    with Image.open(OUT / name) as opened:
        stored = opened.convert("RGB")
        if stored.width * stored.height <= 500_000:
            ppm(f"{name}.stored", np.asarray(stored))
            # Pillow cuts 16-bit grey off at 255 also when shown, and compares the transparent level of
            # 2 and 4 bits with levels that it has spread to 8.
            if opened.mode != "I;16" and not name.startswith(("grey2_key", "grey4_key")):
                shown = convert_to_rgb(ImageOps.exif_transpose(opened), return_numpy=True)
                ppm(f"{name}.shown", shown)
    # Without the notes of the file: given those, transformers lays one colour of `stored` over white.
    stored = Image.fromarray(np.asarray(stored))
    for size in sizes:
        pixels = processor(size)(stored, do_rescale=False, do_normalize=False, return_tensors="np")
        pixels = pixels.pixel_values[0]
        assert pixels.min() >= 0 and pixels.max() <= 255
        ppm(f"{name}.{size}", np.ascontiguousarray(pixels.transpose(1, 2, 0)).astype(np.uint8))
    for resample in (2, 3):
        squash = SiglipImageProcessorPil(size={"height": sizes[0], "width": sizes[0]}, resample=resample)
        pixels = squash(stored, do_rescale=False, do_normalize=False, return_tensors="np").pixel_values[0]
        ppm(f"{name}.squash{resample}", np.ascontiguousarray(pixels.transpose(1, 2, 0)).astype(np.uint8))
    normalised = processor(sizes[0])(stored, return_tensors="np").pixel_values[0]
    normalised.astype("<f4").tofile(OUT / f"{name}.pixels")
    INDEX.append(f"{name} {','.join(map(str, sizes))}\n")


def save(name, image, sizes=SIZES, **options):
    image.save(OUT / name, **options)
    expect(name, sizes)


def write(name, data, sizes=SIZES):
    (OUT / name).write_bytes(data)
    expect(name, sizes)


def drawing(width, height):
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    for i in range(12):
        box = [int(v) for v in RNG.integers(0, (width, height, width, height))]
        box = [min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3])]
        colour = tuple(int(v) for v in RNG.integers(0, 256, 3))
        (draw.ellipse if i % 2 else draw.rectangle)(box, outline=colour, width=2, fill=colour if i % 3 else None)
    return image


def exif(orientation):
    result = Image.Exif()
    result[0x0112] = orientation
    return result


def noise(height, width, channels, limit=256, kind=np.uint8):
    return RNG.integers(0, limit, (height, width, channels)).astype(kind)


def all_formats(name, image):
    save(f"{name}.jpg", image, quality=90)
    save(f"{name}.png", image)
    save(f"{name}.webp", image, quality=85)
    save(f"{name}.bmp", image)
    save(f"{name}.gif", image.quantize(200))


def jpegs(photo):
    save("444.jpg", photo, quality=92, subsampling=0)
    save("422.jpg", photo, quality=75, subsampling=1)
    save("progressive.jpg", photo, quality=80, progressive=True)
    save("restarts.jpg", photo, quality=80, restart_marker_rows=1)
    save("adobe_rgb.jpg", photo, quality=90, keep_rgb=True)
    save("grey.jpg", photo.convert("L"), quality=90)
    save("cmyk.jpg", photo.convert("CMYK"), quality=90)
    (OUT / "ycck.jpg").write_bytes(pictures.ycck_jpeg(Image.fromarray(noise(40, 52, 4), mode="CMYK")))
    expect("ycck.jpg")
    small = photo.resize((90, 61))
    for orientation in range(1, 9):
        save(f"turned{orientation}.jpg", small, quality=95, exif=exif(orientation))
    save("turned.png", small, exif=exif(6))
    save("turned.webp", small, exif=exif(8), lossless=True)


def pngs(photo):
    small = photo.resize((121, 85))
    alpha = Image.fromarray(noise(85, 121, 1)[:, :, 0])
    rgba = small.copy()
    rgba.putalpha(alpha)
    save("rgba.png", rgba)
    save("grey_alpha.png", Image.merge("LA", (small.convert("L"), alpha)))
    save("grey.png", small.convert("L"))
    save("bit.png", small.convert("1"))
    for colours in (2, 4, 16, 200):
        save(f"palette{colours}.png", small.quantize(colours))
    save("palette_key.png", small.quantize(9), transparency=3)
    save("palette_alpha.png", rgba.quantize(60))
    save("rgb_key.png", small, transparency=small.getpixel((5, 5)))
    save("grey_key.png", small.convert("L"), transparency=small.convert("L").getpixel((5, 5)))
    for interlaced in (False, True):
        tag = "_interlaced" if interlaced else ""
        for kind in (0, 2, 4, 6):
            channels = pictures.PNG_CHANNELS[kind]
            deep = noise(37, 45, channels, 700 if kind == 0 else 65536, np.uint16)
            write(f"deep{kind}{tag}.png", pictures.png(deep, kind, 16, interlaced))
            write(f"flat{kind}{tag}.png", pictures.png(noise(37, 45, channels), kind, 8, interlaced))
        for depth in (1, 2, 4):
            grey = noise(37, 45, 1, 1 << depth)
            write(f"grey{depth}{tag}.png", pictures.png(grey, 0, depth, interlaced))
            write(f"grey{depth}_key{tag}.png",
                  pictures.png(grey, 0, depth, interlaced, [(b"tRNS", struct.pack(">H", 1))]))
    # Indices that the palette does not have are black.
    write("short_palette.png", pictures.png(noise(30, 30, 1, 8), 3, 8, False, [(b"PLTE", bytes(range(15)))]))


def bmps(photo):
    small = photo.resize((57, 44))
    save("bit.bmp", small.convert("1"))
    save("grey.bmp", small.convert("L"))
    save("palette.bmp", small.quantize(99))
    rgba = small.copy()
    rgba.putalpha(small.convert("L"))
    save("rgba.bmp", rgba)
    for bits in (1, 4, 8):
        indices = noise(31, 29, 1, 1 << bits)[:, :, 0]
        palette = noise(1 << bits, 4, 1).tobytes()
        rows = pictures.bmp_rows(indices, bits)
        write(f"indexed{bits}.bmp", pictures.bmp(29, 31, bits, rows, palette))
        write(f"top_down{bits}.bmp", pictures.bmp(29, -31, bits, rows, palette))
        os2 = noise(1 << bits, 3, 1).tobytes()
        write(f"os2_{bits}.bmp", pictures.bmp(29, 31, bits, rows, os2, header=12))
    blocks = np.repeat(np.repeat(noise(8, 9, 1, 16)[:, :, 0], 4, 0), 5, 1)
    blocks[:, ::11] = 3
    palette = noise(16, 4, 1).tobytes()
    write("runs8.bmp", pictures.bmp(45, 32, 8, pictures.bmp_runs(blocks, False), palette, 1))
    write("runs4.bmp", pictures.bmp(45, 32, 4, pictures.bmp_runs(blocks, True), palette, 2))
    values = RNG.integers(0, 1 << 32, (31, 29))
    write("555.bmp", pictures.bmp(29, 31, 16, pictures.bmp_rows(values, 16)))
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    write("565.bmp", pictures.bmp(29, 31, 16, pictures.bmp_rows(values, 16), b"", 3, masks))
    write("32.bmp", pictures.bmp(29, 31, 32, pictures.bmp_rows(values, 32)))
    masks = struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)
    write("masks32.bmp", pictures.bmp(29, 31, 32, pictures.bmp_rows(values, 32), b"", 3, masks))


def webps_and_gifs(photo):
    small = photo.resize((150, 101))
    rgba = small.copy()
    rgba.putalpha(Image.fromarray(noise(101, 150, 1)[:, :, 0]))
    other = small.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    save("lossless.webp", small, lossless=True)
    save("alpha.webp", rgba, quality=70)
    save("alpha_lossless.webp", rgba, lossless=True, exact=True)
    save("animated.webp", small, save_all=True, append_images=[other], duration=50)
    save("animated.gif", small, save_all=True, append_images=[other], duration=50)
    save("grey.gif", small.convert("L"))
    save("transparent.gif", small.quantize(20), transparency=3)
    save("plain.gif", small.quantize(20), interlace=False)


def main():
    china, flower = (Image.fromarray(image) for image in load_sample_images().images)
    all_formats("china", china)
    all_formats("flower", flower)
    all_formats("drawing", drawing(300, 221))
    all_formats("portrait", flower.rotate(90, expand=True).resize((211, 463)))
    for width, height in [(1, 1), (2, 3), (224, 224), (225, 224), (227, 224), (64, 97)]:
        save(f"{width}x{height}.png", Image.fromarray(noise(height, width, 3)))
    for width, height in [(1, 3000), (3000, 1), (7, 1999)]:
        save(f"{width}x{height}.png", Image.fromarray(noise(height, width, 3)), sizes=(64, 37))
        save(f"{width}x{height}.jpg", Image.fromarray(noise(height, width, 3)), sizes=(64, 37))
    save("huge.jpg", china.resize((8000, 5337), Image.Resampling.BILINEAR), sizes=(224,), quality=80)
    jpegs(china)
    pngs(flower)
    bmps(china)
    webps_and_gifs(flower)
    (OUT / "index.txt").write_text("".join(INDEX))


if __name__ == "__main__":
    main()
