package deptest

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	codeBlock = regexp.MustCompile("(?s)```.*?```")
	mdLink    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	mdHeading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	notInSlug = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)
)

// TestDocumentsLeadSomewhere: each link of a document to a file of ours, or a heading in one, finds it,
// and README.md leads to every document, so that nobody has to know what there is.
func TestDocumentsLeadSomewhere(t *testing.T) {
	text := documents(t, "README.md", "CHANGELOG.md", "js/README.md", "js/examples/README.md", "docs/*.md")
	require.Greater(t, len(text), 14)
	for name := range text {
		text[name] = codeBlock.ReplaceAllString(text[name], "")
	}
	reached := map[string]bool{"README.md": true}
	for name := range text {
		for _, m := range mdLink.FindAllStringSubmatch(text[name], -1) {
			path, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(path, "://") {
				continue
			}
			target := name
			if path != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(name), path))
			}
			_, err := os.Stat(filepath.Join(root, target))
			assert.NoError(t, err, "%s links to %s", name, m[1])
			if anchor != "" {
				assert.Contains(t, anchors(text[target]), anchor, "%s links to %s", name, m[1])
			}
			if name == "README.md" {
				reached[target] = true
			}
		}
	}
	for name := range text {
		assert.True(t, reached[name], "README.md does not lead to %s", name)
	}
}

// anchors are the names under which a document's headings can be linked to.
func anchors(text string) (all []string) {
	for _, m := range mdHeading.FindAllStringSubmatch(text, -1) {
		slug := notInSlug.ReplaceAllString(strings.ToLower(strings.TrimSpace(m[1])), "")
		all = append(all, strings.ReplaceAll(slug, " ", "-"))
	}
	return all
}
