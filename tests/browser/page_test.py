"""The report's page in a real browser: draws, sorts, chooses, prints, and asks for nothing.

usage: page_test.py SAMPLE_REPORT FOLDER       the program that writes the pages, and where to
       page_test.py --look PAGE FOLDER         pictures of any page, to look at
       page_test.py --first PAGE FILE          a PNG of its first screen: reports/report.png is one
"""

import json
import os
import subprocess
import sys
import unittest

from chromium import Chromium

SCREENS = {
    "desktop": {"width": 1280, "height": 900},
    "dark": {"width": 1280, "height": 900, "dark": True},
    "phone": {"width": 390, "height": 844, "mobile": True},
}
EMPTY_CHARTS = """[...document.querySelectorAll('.chart')].filter((chart) => {
    const parts = chart.querySelectorAll('svg path, svg text');
    const box = chart.getBoundingClientRect();
    return parts.length < 5 || box.width < 100 || box.height < 20;
}).map((chart) => chart.getAttribute('aria-label'))"""
MEANS = """[...document.querySelectorAll('table')[0].tBodies[0].rows].map((row) =>
    parseFloat(row.cells[%d].textContent))"""


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        subprocess.run([PROGRAM, FOLDER], check=True)
        cls.browser = Chromium()

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()

    def open(self, page, screen):
        self.page = os.path.join(FOLDER, page, "report.html")
        self.browser.console.clear()
        self.browser.requests.clear()
        self.browser.screen(**SCREENS[screen])
        self.browser.open(self.page)
        return self.browser

    def expect_quiet(self):
        self.assertEqual(self.browser.console, [])
        address = "file://" + os.path.abspath(self.page)
        others = [url for url in self.browser.requests if url != address and not url.startswith("data:")]
        self.assertEqual(others, [])
        self.assertIn(address, self.browser.requests)

    def test_draws_all_charts_on_every_screen_without_a_word(self):
        for page in ("one", "several", "sizes"):
            for screen in SCREENS:
                with self.subTest(page=page, screen=screen):
                    browser = self.open(page, screen)
                    browser.draw_all()
                    self.assertGreaterEqual(browser.run("document.querySelectorAll('.chart').length"), 7)
                    self.assertEqual(browser.run(EMPTY_CHARTS), [])
                    self.expect_quiet()

    def test_does_not_scroll_sideways(self):
        for page in ("one", "several", "sizes"):
            for screen in SCREENS:
                with self.subTest(page=page, screen=screen):
                    browser = self.open(page, screen)
                    browser.draw_all()
                    browser.run("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
                    wide = browser.run("document.documentElement.scrollWidth")
                    self.assertLessEqual(wide, SCREENS[screen]["width"])

    def test_a_narrower_window_redraws_the_charts(self):
        browser = self.open("one", "desktop")
        browser.draw_all()
        browser.screen(width=700, height=900)
        browser.wait_for("[...document.querySelectorAll('.chart')].every((each) => Number(each.dataset.drawn) < 700)",
                         "all charts are drawn for the narrow window")
        self.assertEqual(browser.run(EMPTY_CHARTS), [])
        self.expect_quiet()

    def test_a_heading_sorts_the_table_both_ways(self):
        browser = self.open("one", "desktop")
        titles = browser.run("[...document.querySelectorAll('table')[0].tHead.rows[0].cells].map((each) => each.textContent)")
        column = [index for index, title in enumerate(titles) if title.startswith("mean")][0]
        before = browser.run(MEANS % column)
        click = f"document.querySelectorAll('table')[0].tHead.rows[0].cells[{column}].querySelector('button').click()"
        state = f"document.querySelectorAll('table')[0].tHead.rows[0].cells[{column}].getAttribute('aria-sort')"
        browser.run(click)
        self.assertEqual(browser.run(MEANS % column), sorted(before, reverse=True))
        self.assertNotEqual(browser.run(MEANS % column), before)
        self.assertEqual(browser.run(state), "descending")
        browser.run(click)
        self.assertEqual(browser.run(MEANS % column), sorted(before))
        self.assertEqual(browser.run(state), "ascending")
        names = "[...document.querySelectorAll('table')[0].tBodies[0].rows].map((row) => row.cells[0].textContent)"
        browser.run("document.querySelectorAll('table')[0].tHead.rows[0].cells[0].querySelector('button').click()")
        self.assertEqual(browser.run(names), sorted(browser.run(names)))
        self.expect_quiet()

    def test_the_keyboard_reaches_and_sorts_the_table(self):
        browser = self.open("one", "desktop")
        for _ in range(40):
            browser.press("Tab")
            if browser.run("document.activeElement.closest('th') !== null"):
                break
        else:
            self.fail("40 tabs did not reach a heading of the table")
        self.assertEqual(browser.run("getComputedStyle(document.activeElement).outlineStyle"), "solid")
        browser.press("Enter")
        self.assertEqual(browser.run("document.activeElement.closest('th').getAttribute('aria-sort')"), "ascending")
        seen = set()
        for _ in range(120):
            browser.press("Tab")
            seen.add(browser.run("document.activeElement.tagName + ' ' + (document.activeElement.dataset.choose || '')").strip())
        self.assertTrue({"SELECT run", "SELECT domain", "SELECT task", "SUMMARY", "DIV"} <= seen, seen)
        self.expect_quiet()

    def test_shows_the_run_that_is_chosen(self):
        browser = self.open("one", "desktop")
        browser.draw_all()
        runs = browser.run("JSON.parse(document.getElementById('predictions').textContent)[0].runs.length")
        self.assertEqual(runs, 10)
        for run, domain, words in ((0, -1, "zero-shot, seed 1: 8 of 20 test images right (40.00 %)"),
                                   (0, 0, "zero-shot, seed 1: 5 of 10 test images right (50.00 %)"),
                                   (9, 1, "vpt-per-task, seed 1: 10 of 10 test images right (100.00 %)")):
            browser.run("""(() => {
                const detail = document.querySelector('.detail');
                detail.querySelector('[data-choose=run]').value = '%d';
                detail.querySelector('[data-choose=domain]').value = '%d';
                detail.querySelector('[data-choose=run]').dispatchEvent(new Event('change', {bubbles: true}));
            })()""" % (run, domain))
            self.assertIn(words, browser.run("document.querySelector('[data-say=run]').textContent"))
            wrong = browser.run("""[...document.querySelectorAll('[data-fill=confusions] tbody tr')]
                .reduce((sum, row) => sum + Number(row.cells[2].textContent), 0)""")
            right, total = int(words.split(": ")[1].split()[0]), int(words.split(" of ")[1].split()[0])
            self.assertEqual(wrong, total - right)
        self.assertEqual(browser.run(EMPTY_CHARTS), [])
        self.expect_quiet()

    def test_shows_the_domain_that_is_chosen(self):
        browser = self.open("one", "desktop")
        browser.draw_all()
        text = "document.querySelector('figure[data-chart=seeds] svg').textContent"
        self.assertIn("mean over domains", browser.run(text))
        browser.run("""(() => {
            const select = document.querySelector('[data-choose=task]');
            select.value = '1';
            select.dispatchEvent(new Event('change', {bubbles: true}));
        })()""")
        self.assertIn("emoji, accuracy in %", browser.run(text))
        self.expect_quiet()

    def test_draws_one_chart_over_studies_of_several_sizes(self):
        browser = self.open("sizes", "desktop")
        browser.draw_all()
        charts = "document.querySelectorAll('figure[data-chart=train_sizes]')"
        self.assertEqual(browser.run(charts + ".length"), 1)
        drawn = browser.run(charts + "[0].querySelector('svg').textContent")
        for text in ("10 %", "40 %", "mmap-grouped"):
            self.assertIn(text, drawn)
        self.expect_quiet()

    def test_shows_the_images_of_a_row_that_is_unfolded(self):
        for screen in SCREENS:
            browser = self.open("sizes", screen)
            images = "document.querySelectorAll('ul.images img')"
            self.assertEqual(browser.run(f"[...{images}].filter((each) => each.checkVisibility()).length"), 0)
            browser.run("document.querySelector('details:has(ul.images)').open = true")
            shown = browser.run(f"""[...{images}].filter((each) => each.checkVisibility()).map((each) =>
                [each.complete && each.naturalWidth, each.getBoundingClientRect().width, each.getBoundingClientRect().height])""")
            self.assertEqual(shown, [[1, 64, 64]] * 4)
            self.expect_quiet()

    def test_names_are_text_never_markup(self):
        browser = self.open("several", "desktop")
        browser.draw_all()
        self.assertNotIn("Page.javascriptDialogOpening", browser.events)
        self.assertIn('Study <script>alert(1)</script> & "more"', browser.run("document.querySelector('main').textContent"))
        self.assertEqual(browser.run("document.querySelectorAll('ul.studies > li').length"), 2)
        self.assertEqual(browser.run("[...document.querySelectorAll('nav a')].filter((each) => !document.getElementById(decodeURIComponent(each.hash.slice(1)))).length"), 0)
        self.assertEqual(browser.run("new Set([...document.querySelectorAll('[id]')].map((each) => each.id)).size"),
                         browser.run("document.querySelectorAll('[id]').length"))

    def test_begins_with_the_verdict_and_folds_the_facts(self):
        browser = self.open("one", "desktop")
        tops = browser.run("""['.verdict', 'figure[data-chart=accuracy_parameters]', '.tools', 'details > dl']
            .map((each) => document.querySelector(each).closest('section').getBoundingClientRect().top)""")
        self.assertEqual(tops, sorted(tops))
        self.assertIn("has the highest mean accuracy", browser.run("document.querySelector('.verdict').textContent"))
        self.assertEqual(browser.run("document.querySelectorAll('details[open]').length"), 0)
        self.assertEqual(browser.run("document.querySelector('details > dl').checkVisibility()"), False)
        self.assertGreater(browser.run("document.querySelectorAll('.note.caution').length"), 0)

    def shown_rows(self):
        return self.browser.run("""[...document.querySelector('.tools + .wide tbody').rows]
            .filter((row) => row.checkVisibility()).map((row) => row.cells[0].textContent)""")

    def test_filters_rows(self):
        browser = self.open("one", "desktop")
        every = self.shown_rows()
        for text, wanted in (("joint", [row for row in every if "joint" in row or row == "zero-shot"]),
                             ("MMAP", ["mmap-grouped"]), ("-joint", ["mmap-grouped", "vpt-per-task"]),
                             ("coop vpt", []), ("", every)):
            browser.run("""(() => {
                const input = document.querySelector('.tools input[type=search]');
                input.value = '%s';
                input.dispatchEvent(new Event('input', {bubbles: true}));
            })()""" % text)
            self.assertEqual(self.shown_rows(), wanted, text)
            self.assertEqual(browser.run("document.querySelector('.tools output').textContent"),
                             "" if wanted == every else f"{len(wanted)} of {len(every)} rows")
        self.expect_quiet()

    def shown_columns(self):
        return self.browser.run("""[...document.querySelectorAll('.tools + .wide thead th')]
            .filter((head) => head.checkVisibility()).map((head) => head.textContent)""")

    def choose_column(self, title):
        self.browser.run("""[...document.querySelectorAll('.tools .columns label')]
            .find((label) => label.textContent.trim() === '%s').querySelector('input').click()""" % title)

    def test_chooses_columns(self):
        browser = self.open("one", "desktop")
        every = self.shown_columns()
        self.assertIn("method", every)
        self.choose_column("method")
        self.assertEqual(self.shown_columns(), [title for title in every if title != "method"])
        self.assertEqual(browser.run("[...document.querySelector('.tools + .wide tbody').rows].filter((row) => row.cells[1].checkVisibility()).length"), 0)
        self.choose_column("method")
        self.assertEqual(self.shown_columns(), every)
        self.expect_quiet()

    def test_a_phone_shows_the_accuracies_first(self):
        browser = self.open("one", "phone")
        titles = browser.run("""[...document.querySelectorAll('.tools + .wide thead th')].filter((head) => {
            const box = head.getBoundingClientRect();
            return box.width > 0 && box.right <= window.innerWidth;
        }).map((head) => head.textContent)""")
        for title in ("row", "line %", "emoji %", "mean % ± 95 %"):
            self.assertIn(title, titles)
        self.assertNotIn("method", self.shown_columns())
        self.choose_column("method")
        self.assertIn("method", self.shown_columns())
        self.expect_quiet()

    def test_colours_grow_away_from_the_ground_in_the_light_and_in_the_dark(self):
        for screen, ground in (("desktop", 255), ("dark", 13)):
            browser = self.open("one", screen)
            for colour in ("low", "high"):
                levels = browser.run("""[0.15, 0.4, 0.7, 1].map((share) => {
                    const c = petlabCharts.colours({dark: %s});
                    const [r, g, b] = petlabCharts.mixed(c.middle, c.%s, share).match(/[0-9]+/g).map(Number);
                    return Math.abs(0.2126 * r + 0.7152 * g + 0.0722 * b - %d);
                })""" % ("true" if screen == "dark" else "false", colour, ground))
                self.assertEqual(levels, sorted(levels), (screen, colour))
                self.assertGreater(levels[-1], levels[0] + 40, (screen, colour))
            browser.draw_all()
            self.assertNotIn("darker", browser.run("document.body.textContent.replace(/<script.*/s, '')").split("studies")[0])

    def test_no_line_strikes_a_name_through(self):
        browser = self.open("one", "desktop")
        browser.draw_all()
        covered = browser.run("""(() => {
            const svg = document.querySelector('figure[data-chart=accuracy_parameters] svg');
            const parts = [...svg.querySelectorAll('path, text')];
            const names = JSON.parse(document.getElementById('studies').textContent)[0].rows.map((row) => row.label);
            return parts.filter((part) => part.tagName === 'text' && names.includes(part.textContent)).map((text) => {
                const box = text.getBoundingClientRect();
                const x = box.left + box.width / 2, y = box.top + box.height / 2;
                const below = parts.slice(0, parts.indexOf(text)).filter((part) => {
                    const each = part.getBoundingClientRect();
                    return part.tagName === 'path' && part.getAttribute('fill') === '#ffffff' &&
                        each.left <= x && each.right >= x && each.top <= y && each.bottom >= y && each.width < 400;
                });
                return below.length > 0;
            });
        })()""")
        self.assertGreater(len(covered), 1)
        self.assertTrue(all(covered), covered)

    def test_prints_headings_as_text_and_what_is_folded(self):
        browser = self.open("one", "desktop")
        browser.call("Emulation.setEmulatedMedia", media="print")
        try:
            self.assertEqual(browser.run("getComputedStyle(document.querySelector('th button')).display"), "contents")
            self.assertEqual(browser.run("getComputedStyle(document.querySelector('th')).backgroundColor"), "rgba(0, 0, 0, 0)")
            self.assertEqual(browser.run("getComputedStyle(document.querySelector('.tools')).display"), "none")
        finally:
            browser.call("Emulation.setEmulatedMedia", media="")
        facts = "document.querySelector('details.printed dl').checkVisibility()"
        self.assertFalse(browser.run(facts))
        browser.run("window.dispatchEvent(new Event('beforeprint'))")
        self.assertTrue(browser.run(facts))
        browser.run("window.dispatchEvent(new Event('afterprint'))")
        self.assertFalse(browser.run(facts))

    def test_prints_all_charts_in_light_colours(self):
        browser = self.open("one", "dark")
        path = os.path.join(FOLDER, "print.pdf")
        browser.pdf(path)
        browser.wait_for("[...document.querySelectorAll('.chart')].every((each) => each.dataset.drawn && each.dataset.drawn !== '700')",
                         "the charts are drawn for the screen again")
        with open(path, "rb") as file:
            pdf = file.read()
        self.assertEqual(pdf[:5], b"%PDF-")
        self.assertGreater(len(pdf), 50000)
        self.assertEqual(browser.run(EMPTY_CHARTS), [])
        self.expect_quiet()


def look(page, folder):
    """Pictures of a page on every screen, 1800 pixels each, and its print."""
    os.makedirs(folder, exist_ok=True)
    with Chromium() as browser:
        for name, screen in SCREENS.items():
            browser.screen(**screen)
            browser.open(page)
            browser.draw_all()
            height = browser.run("document.documentElement.scrollHeight")
            for number, top in enumerate(range(0, height, 1800)):
                clip = {"x": 0, "y": top, "width": screen["width"], "height": min(1800, height - top), "scale": 1}
                browser.picture(os.path.join(folder, f"{name}-{number:02}.png"), clip=clip)
            print(name, json.dumps({"height": height, "console": browser.console}))
        browser.pdf(os.path.join(folder, "print.pdf"))


def first_screen(page, file):
    """What a reader sees before scrolling, 1100 pixels of it."""
    with Chromium() as browser:
        browser.screen(width=1180, height=1100)
        browser.open(page)
        browser.draw_all()
        browser.run("window.scrollTo(0, 0)")
        browser.picture(file, clip={"x": 0, "y": 0, "width": 1180, "height": 1100, "scale": 1})


if __name__ == "__main__":
    if len(sys.argv) == 4 and sys.argv[1] == "--look":
        look(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 4 and sys.argv[1] == "--first":
        first_screen(sys.argv[2], sys.argv[3])
    elif len(sys.argv) == 3:
        PROGRAM, FOLDER = sys.argv[1:]
        unittest.main(argv=sys.argv[:1], verbosity=2)
    else:
        sys.exit(__doc__)
