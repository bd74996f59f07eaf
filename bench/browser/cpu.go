package browser

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// CPU is how much processor time a process has used.
type CPU struct {
	Main   time.Duration // by its main thread, which runs the page
	Others time.Duration // by its other threads: workers, compilers, collectors, input and output
}

// Total is the time of all threads.
func (c CPU) Total() time.Duration { return c.Main + c.Others }

// Usage is a reading of a process's processor time, thread by thread.
//
// It is read from the scheduler's own account of each thread, in nanoseconds; the times of
// /proc/PID/stat come in hundredths of a second. It is the whole renderer's and not only
// the page's thread's, as Performance.getMetrics has it, so that a client that works in
// a worker, or leaves work to the collector's or compiler's threads, pays for it, too.
type Usage struct {
	pid     int
	threads map[string]time.Duration
}

// ReadUsage reads the processor time of a process.
func ReadUsage(pid int) (Usage, error) {
	u := Usage{pid: pid, threads: make(map[string]time.Duration)}
	folders, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return u, err
	}
	for _, folder := range folders {
		text, err := os.ReadFile(filepath.Join(folder, "schedstat"))
		if err != nil {
			continue // the thread has ended meanwhile
		}
		spent, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(spent, 10, 64)
		if err != nil {
			return u, fmt.Errorf("schedstat of process %d: %w", pid, err)
		}
		u.threads[filepath.Base(folder)] = time.Duration(ns)
	}
	if len(u.threads) == 0 {
		return u, fmt.Errorf("process %d has no schedstat: it is gone, or the system does not account for threads", pid)
	}
	return u, nil
}

// Since is what was used between an earlier reading and this one. What a thread used that
// ended in between is not seen; Chromium keeps its threads.
func (u Usage) Since(before Usage) CPU {
	var c CPU
	main := strconv.Itoa(u.pid)
	for thread, now := range u.threads {
		spent := now - before.threads[thread]
		if thread == main {
			c.Main += spent
		} else {
			c.Others += spent
		}
	}
	return c
}

// PrivateMemory is how many bytes of memory belong to a process alone.
func PrivateMemory(pid int) (int, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "Private_Dirty:" {
			kilobytes, err := strconv.Atoi(fields[1])
			return kilobytes << 10, err
		}
	}
	return 0, fmt.Errorf("smaps_rollup of process %d does not name Private_Dirty", pid)
}
