"""A page in headless Chromium, driven over the DevTools protocol through a pipe: no driver, no port."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time

PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def find_program():
    """The browser of PETLAB_CHROMIUM, or the first of the usual names on PATH."""
    wanted = os.environ.get("PETLAB_CHROMIUM")
    for name in (wanted,) if wanted else PROGRAMS:
        path = shutil.which(name)
        if path:
            return path
    raise SystemExit(
        "the browser test needs Chromium and found none: `apt-get install chromium` (make test installs "
        "it as root), or set PETLAB_CHROMIUM to the program"
    )


class Chromium:
    """One browser with one page. Collects what the console said and which requests were made."""

    def __init__(self, timeout=60):
        self.timeout = timeout
        self.folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        command = [
            find_program(), "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-extensions", "--disable-component-update", "--disable-sync",
            "--disable-background-networking", "--disable-default-apps", "--hide-scrollbars",
            "--force-color-profile=srgb", f"--user-data-dir={self.folder.name}", "--remote-debugging-pipe", "about:blank",
        ]

        def place_pipes():
            os.dup2(to_browser, 63)
            os.dup2(from_browser, 64)
            os.dup2(63, 3)
            os.dup2(64, 4)

        self.process = subprocess.Popen(
            command, preexec_fn=place_pipes, pass_fds=(3, 4), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._buffer = b""
        self._next = 0
        self.session = None
        self.console, self.requests, self.events = [], [], []
        target = self._page_target()
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._read)
        os.close(self._write)
        self.folder.cleanup()

    def _page_target(self):
        end = time.monotonic() + self.timeout
        while time.monotonic() < end:
            for target in self.call("Target.getTargets")["targetInfos"]:
                if target["type"] == "page":
                    return target["targetId"]
            time.sleep(0.05)
        raise RuntimeError("Chromium opened no page")

    def _message(self):
        while b"\0" not in self._buffer:
            part = os.read(self._read, 1 << 20)
            if not part:
                raise RuntimeError(f"Chromium ended with status {self.process.wait()}")
            self._buffer += part
        text, self._buffer = self._buffer.split(b"\0", 1)
        return json.loads(text)

    def _note(self, message):
        method, values = message.get("method"), message.get("params", {})
        if method == "Runtime.consoleAPICalled" and values["type"] in ("error", "warning", "assert"):
            words = [str(each.get("value", each.get("description", ""))) for each in values["args"]]
            self.console.append(values["type"] + ": " + " ".join(words))
        elif method == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.console.append("exception: " + details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and values["entry"]["level"] in ("error", "warning"):
            self.console.append(values["entry"]["level"] + ": " + values["entry"]["text"])
        elif method == "Network.requestWillBeSent":
            self.requests.append(values["request"]["url"][:200])
        elif method:
            self.events.append(method)

    def call(self, method, **values):
        """Calls a method of the protocol; returns its result."""
        self._next += 1
        message = {"id": self._next, "method": method, "params": values}
        if self.session:
            message["sessionId"] = self.session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._message()
            if answer.get("id") != self._next:
                self._note(answer)
                continue
            if "error" in answer:
                raise RuntimeError(f"{method}: {answer['error']['message']}")
            return answer["result"]

    def open(self, path):
        """Loads a file and waits until its scripts have run."""
        self.events.clear()
        self.call("Page.navigate", url="file://" + os.path.abspath(path))
        while "Page.loadEventFired" not in self.events:
            self._note(self._message())

    def run(self, script):
        """The value of a JavaScript expression; promises are waited for."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            details = result["exceptionDetails"]
            raise RuntimeError(details.get("exception", {}).get("description", details["text"]))
        return result["result"].get("value")

    def wait_for(self, script, what):
        """Waits until the expression is true."""
        end = time.monotonic() + self.timeout
        while not self.run(script):
            if time.monotonic() > end:
                raise AssertionError(f"waited {self.timeout} s in vain until {what}")
            time.sleep(0.05)

    def screen(self, width, height, dark=False, mobile=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def press(self, key, shift=False):
        codes = {"Tab": 9, "Enter": 13, " ": 32}
        text = {"Enter": "\r", " ": " "}.get(key)
        for kind in ("keyDown", "keyUp"):
            values = {"type": kind, "key": key, "code": {" ": "Space"}.get(key, key), "windowsVirtualKeyCode": codes[key],
                      "modifiers": 8 if shift else 0}
            if text and kind == "keyDown":
                values["text"] = text
            self.call("Input.dispatchKeyEvent", **values)

    def draw_all(self):
        """Scrolls through the page, as charts are drawn when they come into view."""
        self.run("""(async () => {
            for (let y = 0; y < document.documentElement.scrollHeight; y += 500) {
                window.scrollTo(0, y);
                await new Promise((done) => requestAnimationFrame(() => setTimeout(done, 20)));
            }
            window.scrollTo(0, 0);
        })()""")

    def picture(self, path, whole=True, clip=None):
        values = {"captureBeyondViewport": whole}
        if clip:
            values["clip"] = clip
        elif whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            values["clip"] = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.captureScreenshot", format="png", **values)["data"]))

    def pdf(self, path):
        with open(path, "wb") as file:
            file.write(base64.b64decode(self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)["data"]))
