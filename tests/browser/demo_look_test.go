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
	}
	d.Run(emulation.SetEmulatedMedia(), chromedp.EmulateViewport(1280, 900))
}

func (d demo) picture(t *testing.T, name string) {
	t.Helper()
	var width struct{ Page, Window int }
	d.Eval(`({ Page: document.documentElement.scrollWidth, Window: innerWidth })`, &width)
	assert.LessOrEqual(t, width.Page, width.Window, "%s: the page is wider than its window", name)
	d.Screenshot(filepath.Join(screenshots(t), name+".png"))
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
		for (const e of all("button, summary, a")) if (!(e.getAttribute("aria-label") ?? e.textContent).trim()) problems.push("no name: " + e.outerHTML);
		return problems;
	})()`, &problems)
	assert.Empty(t, problems)
}
