package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// contentTypes is a table of our own: the system's MIME tables differ between machines,
// and a browser compiles WebAssembly from a stream only as application/wasm.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".json": "application/json",
	".map":  "application/json",
	".mjs":  "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".ts":   "text/plain; charset=utf-8",
	".txt":  "text/plain; charset=utf-8",
	".wasm": "application/wasm",
}

// static serves the files of one folder, precompressed where the build left a .br or
// .gz beside the file and the client accepts it. It lists no folders and serves no
// file whose name starts with a dot.
type static struct {
	files   fs.FS
	missing func(name string) string // what to answer, in a sentence, when a file is not there
	tags    tagCache
}

// newStatic serves files. missing may be nil.
func newStatic(files fs.FS, missing func(name string) string) *static {
	if missing == nil {
		missing = func(string) string { return "There is no such file here." }
	}
	return &static{files: files, missing: missing}
}

// folder is the part of the file system below a directory. It is opened anew for each
// file, so that a build may replace the directory while the server runs, and no
// symbolic link leads out of it.
type folder string

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	return os.OpenInRoot(string(f), name)
}

// ServeHTTP answers GET and HEAD for the file that the path names; "/" is index.html.
func (s *static) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Only GET and HEAD are answered here.", http.StatusMethodNotAllowed)
		return
	}
	name := strings.TrimPrefix(r.URL.Path, "/")
	if name == "" {
		name = "index.html"
	}
	plain, err := s.read(name)
	if err != nil {
		s.fail(w, name, err)
		return
	}
	chosen := plain
	w.Header().Add("Vary", "Accept-Encoding")
	if enc, variant, ok := s.precompressed(plain, r.Header.Get("Accept-Encoding")); ok {
		w.Header().Set("Content-Encoding", enc)
		chosen = variant
	}
	s.serve(w, r, name, chosen)
}

func (s *static) serve(w http.ResponseWriter, r *http.Request, name string, f file) {
	kind := contentTypes[path.Ext(name)]
	if kind == "" {
		kind = "application/octet-stream"
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache") // keep it, but ask each time: the ETag makes that cheap
	w.Header().Set("ETag", s.tags.of(f))
	// ServeContent leaves the length out of an encoded answer; loaders show progress with it.
	w.Header().Set("Content-Length", strconv.Itoa(len(f.data)))
	http.ServeContent(w, r, name, f.modified, bytes.NewReader(f.data))
}

// fail answers 404 for everything that cannot be opened, whatever the system calls it
// (no such file, not a folder, a name it cannot hold), and 500 for what is there but
// cannot be read. The error itself is not shown: it holds the folder's place on this machine.
func (s *static) fail(w http.ResponseWriter, name string, err error) {
	if errors.Is(err, errUnreadable) || errors.Is(err, fs.ErrPermission) {
		http.Error(w, "This file cannot be read.", http.StatusInternalServerError)
		return
	}
	http.Error(w, s.missing(name), http.StatusNotFound)
}

// precompressed gives the smallest variant that the header accepts. One that is older
// than the plain file was left behind by an earlier build and is passed over.
func (s *static) precompressed(plain file, accept string) (string, file, bool) {
	for _, enc := range encodings {
		if !accepts(accept, enc.name) {
			continue
		}
		variant, err := s.read(plain.name + enc.suffix)
		if err == nil && !variant.modified.Before(plain.modified) {
			return enc.name, variant, true
		}
	}
	return "", file{}, false
}

// errUnreadable marks a file that opened and then did not give its bytes.
var errUnreadable = errors.New("unreadable")

// file is a file's content with what identifies this version of it.
type file struct {
	name     string
	modified time.Time
	data     []byte
}

func (s *static) read(name string) (file, error) {
	if !fs.ValidPath(name) || hidden(name) {
		return file{}, fs.ErrNotExist
	}
	f, err := s.files.Open(name)
	if err != nil {
		return file{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return file{}, err
	}
	if !info.Mode().IsRegular() {
		return file{}, fs.ErrNotExist
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return file{}, errors.Join(errUnreadable, err)
	}
	return file{name: name, modified: info.ModTime(), data: data}, nil
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.")
}

// tagCache remembers the content hashes of files, so that a module of some megabytes is
// hashed once per build and not once per request.
type tagCache struct {
	mu   sync.Mutex
	tags map[string]cachedTag
}

type cachedTag struct {
	modified time.Time
	size     int
	tag      string
}

// of gives the strong entity tag of the bytes: each encoding of a file has its own.
func (c *tagCache) of(f file) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if t, ok := c.tags[f.name]; ok && t.size == len(f.data) && t.modified.Equal(f.modified) {
		return t.tag
	}
	sum := sha256.Sum256(f.data)
	tag := `"` + base64.RawURLEncoding.EncodeToString(sum[:15]) + `"`
	if c.tags == nil {
		c.tags = make(map[string]cachedTag)
	}
	c.tags[f.name] = cachedTag{f.modified, len(f.data), tag}
	return tag
}
