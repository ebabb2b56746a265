package tour

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// screen is where the tour shows itself. On a terminal the progress of a step is redrawn in place; elsewhere only its
// end is shown.
type screen struct {
	out      io.Writer
	terminal bool
	step     int
	title    string
	began    time.Time
	now      func() time.Time
}

func (s *screen) begin(title string) {
	s.step++
	s.title, s.began = title, s.now()
	s.progress("…")
}

func (s *screen) progress(text string) {
	if s.terminal {
		_, _ = fmt.Fprintf(s.out, "\r\033[K%2d  %-34s %s", s.step, s.title, text)
	}
}

func (s *screen) end(text string) {
	if s.terminal {
		_, _ = fmt.Fprint(s.out, "\r\033[K")
	}
	_, _ = fmt.Fprintf(s.out, "%2d  %-34s %s  (%.1f s)\n", s.step, s.title, text, s.now().Sub(s.began).Seconds())
}

func (s *screen) note(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "    "+format+"\n", args...)
}

// table shows rows under a head, each column as wide as it must be; columns of numbers are aligned to the right.
func (s *screen) table(head []string, rows [][]string) {
	widths := make([]int, len(head))
	for _, row := range append([][]string{head}, rows...) {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(left, mid, right string) {
		parts := make([]string, len(widths))
		for i, w := range widths {
			parts[i] = strings.Repeat("─", w+2)
		}
		_, _ = fmt.Fprintf(s.out, "    %s%s%s\n", left, strings.Join(parts, mid), right)
	}
	print := func(row []string) {
		parts := make([]string, len(widths))
		for i, w := range widths {
			pad := strings.Repeat(" ", w-utf8.RuneCountInString(row[i]))
			if numeric(rows, i) {
				parts[i] = " " + pad + row[i] + " "
			} else {
				parts[i] = " " + row[i] + pad + " "
			}
		}
		_, _ = fmt.Fprintf(s.out, "    │%s│\n", strings.Join(parts, "│"))
	}
	line("┌", "┬", "┐")
	print(head)
	line("├", "┼", "┤")
	for _, row := range rows {
		print(row)
	}
	line("└", "┴", "┘")
}

func numeric(rows [][]string, column int) bool {
	for _, row := range rows {
		if strings.Trim(row[column], "0123456789,∞→ ") != "" {
			return false
		}
	}
	return len(rows) > 0
}
