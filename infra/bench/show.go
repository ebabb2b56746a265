package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bookplate/bookplate/infra/bench/measure"
)

// String are the tables of counts: from the assignments on, until nothing is left to be done.
func (c counted) String() string {
	return fmt.Sprintf("\n%s\n%s\n", c.requests(), c.items())
}

func (c counted) requests() string { return measure.Requests(c.job, c.counts, c.rows) }
func (c counted) items() string    { return measure.Items(c.job, c.calls) }

// String are the same tables, and those of what this machine needed for it.
func (l lived) String() string {
	var rows [][]string
	for _, p := range l.phases {
		rows = append(rows, []string{
			p.name, seconds(p.wall), seconds(p.cpu), megabytes(p.memory), strconv.Itoa(p.requests),
			strconv.Itoa(p.calls.Written), strconv.Itoa(p.calls.Read), "",
		})
	}
	phases := measure.Table([]string{
		"phase", "wall s", "CPU s", "peak MB", "requests", "items written", "items read", "",
	}, rows)
	job := l.phases[len(l.phases)-1]
	ratios := measure.Table([]string{"readers and licenses", "product", "bare client", "ratio", ""}, [][]string{
		{"wall s", seconds(job.wall), seconds(l.bare.Wall), measure.Ratio(job.wall.Seconds(), l.bare.Wall.Seconds()), "no table, no laws"},
		{"CPU s", seconds(job.cpu), seconds(l.bare.CPU), measure.Ratio(job.cpu.Seconds(), l.bare.CPU.Seconds()), "the client's process only"},
		{"peak MB", megabytes(job.memory), megabytes(l.bare.Memory), "", ""},
	})
	return fmt.Sprintf("\n%s\n%s\n%s\n%s", l.requests(), l.items(), phases, ratios)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f", d.Seconds()) }

func megabytes(bytes int64) string { return strconv.FormatInt(bytes>>20, 10) }
