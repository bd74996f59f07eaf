package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/kiiweb/kiiweb/bench/replay"
	"github.com/kiiweb/kiiweb/bench/report"
	"github.com/kiiweb/kiiweb/bench/suite"
)

// facts tell what was measured, on what.
func (r *runner) facts(ctx context.Context) ([]report.Fact, error) {
	browser, err := r.stage.Browser.Version(ctx)
	if err != nil {
		return nil, err
	}
	facts := []report.Fact{
		{Name: "kiiweb", Value: r.build()},
	}
	for _, name := range []string{"mqtt", "paho-mqtt", "u8-mqtt"} {
		version, err := packageVersion(r.stage.Root, name)
		if err != nil {
			return nil, err
		}
		facts = append(facts, report.Fact{Name: name + " (npm)", Value: version})
	}
	facts = append(facts,
		report.Fact{Name: "protocol", Value: protocols(r.clients)},
		report.Fact{Name: "browser", Value: browser + ", headless, no DevTools domain enabled"},
		report.Fact{Name: "brokers", Value: "a replay server of prepared frames; " + r.brokers()},
		report.Fact{Name: "Go", Value: runtime.Version()},
		report.Fact{Name: "machine", Value: machine()},
		report.Fact{Name: "window at QoS 1", Value: fmt.Sprintf("%d messages ahead of their acknowledgements", replay.Window)},
		report.Fact{Name: "rounds", Value: fmt.Sprintf("%d, %d of what differs little from round to round, with bursts of %g times the usual size",
			r.options.rounds, min(usual, r.options.rounds), r.options.scale)},
		report.Fact{Name: "processors in use before the run", Value: r.load},
	)
	return facts, nil
}

// build names the library that was measured, by its module's hash.
func (r *runner) build() string {
	var info struct {
		Version string
		Wasm    struct{ Sha256 string }
	}
	text, err := os.ReadFile(filepath.Join(r.stage.Root, "js", "dist", "build-info.json"))
	if err == nil && json.Unmarshal(text, &info) == nil && len(info.Wasm.Sha256) > 12 {
		return info.Version + ", module " + info.Wasm.Sha256[:12]
	}
	return "as built"
}

func protocols(clients []suite.Client) string {
	var list []string
	for _, c := range clients {
		name := map[byte]string{5: "5", 4: "3.1.1", 3: "3.1"}[byte(c.Protocol)]
		list = append(list, c.Name+" "+name)
	}
	return "MQTT, as each client does by default: " + strings.Join(list, ", ")
}

func (r *runner) brokers() string {
	if r.mosquitto == nil {
		return "mosquitto is not installed"
	}
	return r.mosquitto.Version + "; the project's cloud"
}

// packageVersion reads the version of an installed npm package.
func packageVersion(root, name string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, "bench", "node_modules", name, "package.json"))
	if err != nil {
		return "", err
	}
	var p struct{ Version string }
	return p.Version, json.Unmarshal(text, &p)
}

func machine() string {
	model := "an unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if found := regexp.MustCompile(`model name\s*:\s*(.*)`).FindSubmatch(text); found != nil {
			model = string(found[1])
		}
	}
	kernel, _ := exec.Command("uname", "-sr").Output()
	return fmt.Sprintf("%s, %d cores, %s", model, runtime.NumCPU(), strings.TrimSpace(string(kernel)))
}

// lookAround is how long the machine is watched before a run, and quietEnough how much of its processors others may use
// then. A load average would tell of what was built just before.
const (
	lookAround  = 3 * time.Second
	quietEnough = 0.05
)

// load says what else the machine does.
func load() string {
	before, err := os.ReadFile("/proc/stat")
	time.Sleep(lookAround)
	after, late := os.ReadFile("/proc/stat")
	if err != nil || late != nil {
		return "unknown"
	}
	return sayLoad(used(string(before), string(after)))
}

// used is the part of all processors' time that was not idle between two readings of /proc/stat (proc(5)).
func used(before, after string) float64 {
	read := func(stat string) (idle, sum float64) {
		line, _, _ := strings.Cut(stat, "\n")
		fields := strings.Fields(line)
		for i, field := range fields[1:min(len(fields), 9)] { // guests' time, behind that, is in user's, too
			ticks, _ := strconv.ParseFloat(field, 64)
			if sum += ticks; i == 3 || i == 4 { // idle, and idle while the disk works
				idle += ticks
			}
		}
		return idle, sum
	}
	idle, sum := read(before)
	idleThen, sumThen := read(after)
	return 1 - (idleThen-idle)/(sumThen-sum)
}

func sayLoad(part float64) string {
	text := fmt.Sprintf("%.0f%%", 100*part)
	if part > quietEnough {
		text += ": **the machine was busy with other things**, so spreads are wide and times by the wall clock say little"
	}
	return text
}
