"""Pictures that Pillow cannot write: 16-bit, interlaced and odd PNG, BMP of rare kinds, YCCK JPEG."""

import io
import struct
import zlib

import numpy as np

PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_rows(samples, depth):
    """samples [h, w, c] of `depth` bits as the filtered rows of a PNG (filter 0)."""
    rows = b""
    for row in samples.reshape(samples.shape[0], -1):
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        elif depth == 8:
            packed = row.astype(np.uint8).tobytes()
        else:
            bits = (row[:, None] >> np.arange(depth - 1, -1, -1)) & 1
            packed = np.packbits(bits.astype(np.uint8).reshape(-1)).tobytes()
        rows += b"\0" + packed
    return rows


def png(samples, kind, depth, interlaced=False, chunks=()):
    """kind: PNG's colour type; chunks: (name, data) between the header and the pixels."""
    height, width = samples.shape[:2]
    samples = samples.reshape(height, width, PNG_CHANNELS[kind])
    if interlaced:
        parts = [samples[y::dy, x::dx] for x, y, dx, dy in ADAM7]
        raw = b"".join(png_rows(part, depth) for part in parts if part.size)
    else:
        raw = png_rows(samples, depth)
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header)
            + b"".join(png_chunk(*chunk) for chunk in chunks)
            + png_chunk(b"IDAT", zlib.compress(raw)) + png_chunk(b"IEND", b""))


def bmp(width, height, bits, pixels, palette=b"", compression=0, masks=b"", header=40):
    """height < 0: top-down."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0,
                           len(palette) // 4, 0)
    start = 14 + len(info) + len(masks) + len(palette)
    return (b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + masks + palette + pixels)


def bmp_rows(values, bits):
    """values [h, w] of `bits` bits each, from the top, as the rows of a BMP: bottom first, padded."""
    rows = b""
    for row in values[::-1]:
        if bits >= 8:
            packed = row.astype("<u4").tobytes()
            packed = b"".join(packed[i:i + bits // 8] for i in range(0, len(packed), 4))
        else:
            expanded = (row[:, None] >> np.arange(bits - 1, -1, -1)) & 1
            packed = np.packbits(expanded.astype(np.uint8).reshape(-1)).tobytes()
        rows += packed + b"\0" * (-len(packed) % 4)
    return rows


def bmp_runs(indices, nibbles):
    """Run-length coding of [h, w] indices: runs where a value repeats, plain stretches, ends of line."""
    out = bytearray()
    for row in indices[::-1]:
        x = 0
        while x < len(row):
            n = 1
            while x + n < len(row) and n < 255 and row[x + n] == row[x]:
                n += 1
            if n >= 3 or len(row) - x < 3:
                value = int(row[x])
                out += bytes([n, value << 4 | value if nibbles else value])
                x += n
                continue
            plain = row[x:x + min(len(row) - x, 7)]
            if nibbles:
                padded = np.append(plain, [0] * (len(plain) % 2))
                data = (padded[::2] << 4 | padded[1::2]).astype(np.uint8).tobytes()
            else:
                data = plain.astype(np.uint8).tobytes()
            out += bytes([0, len(plain)]) + data + b"\0" * (len(data) % 2)
            x += len(plain)
        out += b"\0\0"
    return bytes(out + b"\0\1")


def ycck_jpeg(cmyk):
    """The bytes of a CMYK picture's JPEG, whose Adobe marker then says that it is YCCK."""
    buffer = io.BytesIO()
    cmyk.save(buffer, "JPEG", quality=95)
    data = bytearray(buffer.getvalue())
    at = data.index(b"Adobe")
    data[at + 11] = 2
    return bytes(data)
