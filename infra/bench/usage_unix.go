//go:build unix

package main

import (
	"runtime"
	"syscall"
	"time"
)

// usage is what this process has used: CPU, user and system, and the most memory in bytes.
func usage() (cpu time.Duration, memory int64) {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0, 0
	}
	unit := int64(1024)
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), int64(u.Maxrss) * unit //nolint:unconvert // int32 on some machines
}
