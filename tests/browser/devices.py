"""Cameras and microphones of files for Chromium: black, standing still, silent."""

import shutil
import wave

from tests.browser.conftest import FLAGS

WIDTH, HEIGHT, FRAMES = 320, 240, 30
FAKE = "--use-fake-device-for-media-stream=fps=30"
GIVEN = ("--use-fake-ui-for-media-stream", "--autoplay-policy=no-user-gesture-required")


def launch(chromium, *flags):
    """A browser of this kind with devices of its own; close it afterwards."""
    return chromium.launch(
        executable_path=shutil.which("chromium"),
        chromium_sandbox=False,
        args=[*FLAGS, "--allow-loopback-in-peer-connection", *flags],
    )


def camera(path, brightness):
    """Write a film whose every frame is the same: `brightness(x, y)` says how bright. Returns Chromium's flag."""
    plane = bytes(brightness(x, y) for y in range(HEIGHT) for x in range(WIDTH))
    frame = b"FRAME\n" + plane + bytes([128]) * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F30:1 Ip A1:1 C420jpeg\n".encode() + frame * FRAMES)
    return f"--use-file-for-fake-video-capture={path}"


def silence(path, seconds=2):
    """Write a sound without any sound. Returns Chromium's flag."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(bytes(2 * 48_000 * seconds))
    return f"--use-file-for-fake-audio-capture={path}"
