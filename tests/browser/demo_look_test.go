package browser_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/kiiweb/kiiweb/tests/cloud"
)

// look takes pictures of the page as it is, on a desk and on a phone, in the light and in
// the dark, and holds that it fits and that all of it can be told by name.
func (d demo) look(t *testing.T, name string) {
	t.Helper()
	d.sound(t)
	defer d.rendered()()
	for _, light := range []string{"light", "dark"} {
		d.Run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: light},
			{Name: "prefers-reduced-motion", Value: "reduce"}, // no picture of colours that are still changing
		}))
		d.Run(chromedp.EmulateViewport(1280, 900))
		d.picture(t, name+"-desktop-"+light)
		d.Run(chromedp.EmulateViewport(390, 844, chromedp.EmulateMobile))
		d.picture(t, name+"-phone-"+light)
		d.accessible(t, name+" in the "+light)
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

// rendered shows what the page leaves out while it is out of view, until what it gives is called.
func (d demo) rendered() func() {
	show := func(how string) {
		d.Eval(`document.querySelectorAll(".message").forEach((m) => { m.style.contentVisibility = "`+how+`" })`, nil)
	}
	show("visible")
	return func() { show("") }
}

func (d demo) picture(t *testing.T, name string) {
	t.Helper()
	var width struct{ Page, Window int }
	d.Eval(`({ Page: document.documentElement.scrollWidth, Window: innerWidth })`, &width)
	assert.LessOrEqual(t, width.Page, width.Window, "%s: the page is wider than its window", name)
	d.Screenshot(filepath.Join(screenshots(t), name+".png"))
}

// accessible holds the page to all rules of axe-core but WCAG's level AAA, whose contrasts the page does not mean to
// have. A contrast that axe-core cannot tell counts as one that is too low.
func (d demo) accessible(t *testing.T, name string) {
	t.Helper()
	axe, err := os.ReadFile(filepath.Join(cloud.Root(), "js", "node_modules", "axe-core", "axe.min.js"))
	require.NoError(t, err, "make deps installs it")
	d.Eval(string(axe)+"; 0", nil)
	var found struct {
		Problems []string
		Held     []string
	}
	d.Eval(`(async () => {
		// What stands before and after texts are marks and lines beside them. The rest is what axe-core has for all pages.
		const contrastRatio = { normal: { expected: 4.5 }, large: { expected: 3 } };
		const options = { ignorePseudo: true, ignoreUnicode: true, ignoreLength: false, boldValue: 700, boldTextPt: 14, largeTextPt: 18, contrastRatio, shadowOutlineEmMax: 0.2 };
		axe.configure({ checks: [{ id: "color-contrast", options }] });
		const rules = axe.getRules().filter((rule) => !rule.tags.includes("wcag2aaa")).map((rule) => rule.ruleId);
		const lists = document.querySelectorAll(".messages"); // what is out of view in them cannot be told
		lists.forEach((list) => { list.style.maxHeight = "none" });
		const { violations, incomplete, passes } = await axe.run({ runOnly: rules, resultTypes: ["violations", "incomplete"] });
		lists.forEach((list) => { list.style.maxHeight = "" });
		const unsure = incomplete.filter((rule) => rule.id === "color-contrast");
		return {
			Problems: [...violations, ...unsure].flatMap((rule) => rule.nodes.map((n) => rule.id + ": " + n.html.slice(0, 200) + ": " + n.failureSummary)),
			Held: passes.map((rule) => rule.id),
		};
	})()`, &found)
	assert.Empty(t, found.Problems, name)
	assert.Subset(t, found.Held, []string{"color-contrast", "label", "button-name", "target-size"}, "%s: axe-core has looked", name)
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
