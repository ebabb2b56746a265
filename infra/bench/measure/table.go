package measure

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Table lays rows out in columns under a heading. All columns but the first and the last are numbers.
func Table(heading []string, rows [][]string) string {
	widths := make([]int, len(heading))
	all := append([][]string{heading}, rows...)
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, row := range all {
		for i, cell := range row {
			gap := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			switch {
			case i == 0:
				b.WriteString("  " + cell + gap)
			case i == len(heading)-1:
				b.WriteString("  " + cell)
			default:
				b.WriteString("  " + gap + cell)
			}
		}
		b.WriteString("\n")
		if n == 0 {
			for i := range heading {
				b.WriteString("  " + strings.Repeat("─", widths[i]))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// Requests is the table of a job's requests to Apple, beside their least.
func Requests(j Job, counts, rows map[Kind]int) string {
	kinds := []Kind{
		Associates, Creates, AssociatePolls, CreatePolls, CountReads, DeltaPages, UserDeltaPages, LookUps, Others,
	}
	var lines [][]string
	for _, kind := range kinds {
		line := []string{string(kind), fmt.Sprint(counts[kind]), "", "", fmt.Sprint(rows[kind]), ""}
		if least, ok := j.Least(kind); ok {
			line[2], line[3], line[5] = fmt.Sprint(least.Count), Ratio(float64(counts[kind]), float64(least.Count)), least.Why
		}
		lines = append(lines, line)
	}
	return Table([]string{"requests to Apple", "count", "least", "ratio", "rows", "the least is"}, lines)
}

// Items is the table of what a job asked of the table, a license.
func Items(j Job, c Calls) string {
	each := func(n float64) string { return fmt.Sprintf("%.2f", n/float64(j.Licenses())) }
	return Table([]string{"table, a license", "count", "least", "ratio", "the least is"}, [][]string{
		{
			"items written", each(float64(c.Written)), fmt.Sprint(LeastWritten),
			Ratio(float64(c.Written), float64(LeastWritten*j.Licenses())), "reserved, settled",
		},
		{"write units", each(c.WriteUnits), "", "", ""},
		{"items read", each(float64(c.Read)), fmt.Sprint(LeastRead), Ratio(float64(c.Read), float64(LeastRead*j.Licenses())), "who has it"},
		{"read units", each(c.ReadUnits), "", "", ""},
	})
}

// Ratio is how many times the least a count is.
func Ratio(count, least float64) string {
	if least == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f×", count/least)
}
