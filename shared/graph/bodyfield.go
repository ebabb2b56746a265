package graph

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// fieldAt is the field that has a value of the wrong kind, with its places in lists, which the decoder doesn't tell:
// "managedEBookAssignments[0].target". Where the body's names aren't the decoder's, those are told: the body's could be anything.
func fieldAt(text []byte, e *json.UnmarshalTypeError) string {
	names, path := "", ""
	for _, step := range stepsTo(text, e.Offset) {
		switch {
		case step.list:
			path += "[" + strconv.Itoa(step.index) + "]"
		case names == "":
			names, path = step.name, path+step.name
		default:
			names, path = names+"."+step.name, path+"."+step.name
		}
	}
	if !strings.EqualFold(names, e.Field) {
		return e.Field
	}
	return path
}

// step leads from a value to one in it.
type step struct {
	list  bool
	index int
	name  string
	named bool // the name has been read, and its value is next
}

// stepsTo lead from the body to the value that ends at the offset, or of which the opening bracket does.
func stepsTo(text []byte, offset int64) []step {
	var steps []step
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return nil
		}
		bracket, _ := token.(json.Delim)
		if bracket == ']' || bracket == '}' {
			steps = steps[:len(steps)-1]
			continue
		}
		if n := len(steps); n > 0 {
			switch last := &steps[n-1]; {
			case last.list:
				last.index++
			case !last.named:
				last.name, _ = token.(string)
				last.named = true
				continue
			default:
				last.named = false
			}
		}
		if d.InputOffset() >= offset {
			return steps
		}
		if bracket != 0 {
			steps = append(steps, step{list: bracket == '[', index: -1})
		}
	}
}
