package browser_test

import (
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
)

// look takes pictures of the page as it is, on a desk and on a phone, in the light and in
// the dark, and holds that it fits and that all of it can be told by name.
func (d demo) look(t *testing.T, name string) {
	t.Helper()
	d.sound(t)
	for _, light := range []string{"light", "dark"} {
		d.Run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: light},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // no picture of colours that are still changing
		}))
		d.Run(chromedp.EmulateViewport(1280, 900))
		d.picture(t, name+"-desktop-"+light)
		d.Run(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
		d.picture(t, name+"-phone-"+light)
		d.legible(t, name+" in the "+light)
	}
	d.forced(t, name)
	d.Run(chromedp.EmulateViewport(320, 640, chromedp.EmulateMobile)) // and a desk at 400 %
	d.picture(t, name+"-narrow")
	d.Run(emulation.SetEmulatedMedia(), chromedp.EmulateViewport(1280, 900))
}

// forced holds that the page can be used on a phone whose system forces its own colours: buttons
// have edges there, which must not lie on any text, and backgrounds alone say nothing.
func (d demo) forced(t *testing.T, name string) {
	t.Helper()
	d.Run(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}))
	d.picture(t, name+"-phone-forced")
	var problems []string
	d.Eval(`(() => {
		const problems = [];
		const visible = (selector) => [...document.querySelectorAll(selector)].filter((e) => e.checkVisibility());
		const lines = visible("p, h2, h3, label").flatMap((e) => {
			const range = document.createRange();
			range.selectNodeContents(e);
			return [...range.getClientRects()].map((box) => ({ e, box }));
		});
		for (const button of visible(".button")) {
			const at = button.getBoundingClientRect();
			for (const { e, box } of lines)
				if (box.left < at.right && at.left < box.right && box.top < at.bottom && at.top < box.bottom && !e.contains(button))
					problems.push((button.id || button.textContent) + " lies on " + e.textContent);
		}
		for (const chosen of visible(".switch input:checked + span")) {
			const other = chosen.closest(".switch").querySelector("input:not(:checked) + span");
			if (getComputedStyle(chosen).backgroundColor === getComputedStyle(other).backgroundColor) problems.push("not told apart: " + chosen.textContent);
		}
		return problems;
	})()`, &problems)
	assert.Empty(t, problems, name)
}

func (d demo) picture(t *testing.T, name string) {
	t.Helper()
	var width struct{ Page, Window int }
	d.Eval(`({ Page: document.documentElement.scrollWidth, Window: innerWidth })`, &width)
	assert.LessOrEqual(t, width.Page, width.Window, "%s: the page is wider than its window", name)
	d.Screenshot(filepath.Join(screenshots(t), name+".png"))
}

// legible holds that what is to be read stands out from what is behind it, 4.5 to 1 or 3 to 1 where
// it is large (WCAG 2.2, 1.4.3), and that what is to be pressed is large enough (2.5.8).
func (d demo) legible(t *testing.T, name string) {
	t.Helper()
	var problems []string
	d.Eval(`(() => {
		const problems = new Set();
		const channels = (colour) => colour.match(/[\d.]+/g).map(Number);
		const linear = (v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
		const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
		const behind = (e) => {
			for (; e; e = e.parentElement) {
				const colour = channels(getComputedStyle(e).backgroundColor);
				if (colour[3] !== 0) return colour;
			}
		};
		for (const e of document.querySelectorAll("body *")) {
			const style = getComputedStyle(e);
			if (!e.checkVisibility() || style.clipPath !== "none") continue;
			if (e.matches("button, select, summary, input:not([type=radio])") && e.getBoundingClientRect().height < 24) problems.add("small: " + (e.id || e.textContent));
			if (!e.matches("input, textarea, select") && ![...e.childNodes].some((n) => n.nodeType === Node.TEXT_NODE && n.textContent.trim())) continue;
			const [light, dark] = [luminance(channels(style.color)), luminance(behind(e))].sort((a, b) => b - a);
			const large = parseFloat(style.fontSize) >= 24;
			if ((light + 0.05) / (dark + 0.05) < (large ? 3 : 4.5)) problems.add("pale: " + (e.id || e.className || e.textContent));
		}
		return [...problems];
	})()`, &problems)
	assert.Empty(t, problems, name)
}

// sound holds what a copy of a part, or a part that is made later, easily breaks: ids are
// there once, what refers to one finds it, and whatever can be used has a name.
func (d demo) sound(t *testing.T) {
	t.Helper()
	var problems []string
	d.Eval(`(() => {
		const problems = [];
		const all = (selector) => [...document.querySelectorAll(selector)];
		const ids = all("[id]").map((e) => e.id);
		for (const id of new Set(ids)) if (ids.filter((other) => other === id).length > 1) problems.push("twice: " + id);
		for (const name of ["for", "aria-labelledby", "aria-describedby"])
			for (const e of all("[" + name + "]"))
				for (const id of e.getAttribute(name).split(" "))
					if (!document.getElementById(id)) problems.push(name + " of " + (e.id || e.tagName) + " finds no " + id);
		for (const e of all("input, select, textarea")) if (!e.labels.length || !e.labels[0].textContent.trim()) problems.push("no label: " + e.id);
		for (const e of all("button")) {
			const text = e.textContent.trim(), name = e.getAttribute("aria-label") ?? text;
			if (!name.includes(text)) problems.push("is called " + name + " and reads " + text); // who speaks to the page says what it reads
		}
		for (const e of all("button, summary, a")) if (!(e.getAttribute("aria-label") ?? e.textContent).trim()) problems.push("no name: " + e.outerHTML);
		return problems;
	})()`, &problems)
	assert.Empty(t, problems)
}
