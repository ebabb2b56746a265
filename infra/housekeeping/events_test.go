package housekeeping

import (
	"bytes"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"github.com/bookplate/bookplate/functions/schedule"
	"github.com/bookplate/bookplate/functions/work"
	"github.com/bookplate/bookplate/infra/sam"
)

// decode reads a sample event, and refuses fields that its type doesn't have.
func decode(t *testing.T, name string, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(read(t, name)))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

func TestEveryFunctionHasASampleEvent(t *testing.T) {
	functions := loadTemplate(t).Functions
	seen := map[string]bool{}
	for _, file := range files(t) {
		name, found := strings.CutPrefix(file, "events/")
		if !found {
			continue
		}
		function, _, _ := strings.Cut(strings.TrimSuffix(name, ".json"), "-")
		f, known := functions[function]
		if !known {
			t.Errorf("%s is for no function of template.yaml", file)
			continue
		}
		seen[function] = true
		switch function {
		case "schedule":
			holdTimerEvent(t, file, f)
		case "work":
			holdWake(t, file)
		default:
			holdRequest(t, file, f)
		}
	}
	for function := range functions {
		if !seen[function] {
			t.Errorf("events/%s.json isn't there", function)
		}
	}
}

// holdRequest holds an HTTP event to the function's routes.
func holdRequest(t *testing.T, file string, f sam.Function) {
	t.Helper()
	var e events.APIGatewayV2HTTPRequest
	decode(t, file, &e)
	if e.RouteKey != e.RequestContext.RouteKey || e.RawPath != e.RequestContext.HTTP.Path {
		t.Errorf("%s: the request and its context differ", file)
	}
	if e.RouteKey == "$default" {
		if !f.HasDefaultRoute() {
			t.Errorf("%s: the function has no default route", file)
		}
		return
	}
	if !slices.Contains(f.Routes(), e.RouteKey) {
		t.Errorf("%s: the function has no route %s", file, e.RouteKey)
	}
	request, err := http.NewRequestWithContext(t.Context(), e.RequestContext.HTTP.Method, e.RawPath, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	for _, route := range f.Routes() {
		mux.HandleFunc(route, func(http.ResponseWriter, *http.Request) {})
	}
	if _, pattern := mux.Handler(request); pattern != e.RouteKey {
		t.Errorf("%s: its path is that of %q, not of %s", file, pattern, e.RouteKey)
	}
	if e.Body != "" && !json.Valid([]byte(e.Body)) {
		t.Errorf("%s: the body isn't JSON", file)
	}
}

// holdTimerEvent holds an event to what the template has the scheduler send.
func holdTimerEvent(t *testing.T, file string, f sam.Function) {
	t.Helper()
	var e, sent schedule.Event
	decode(t, file, &e)
	job := strings.TrimPrefix(strings.TrimSuffix(path.Base(file), ".json"), "schedule-")
	if e.Job != job {
		t.Errorf("%s asks for the job %q", file, e.Job)
	}
	for _, timer := range f.Events {
		if err := json.Unmarshal([]byte(timer.Properties.Input), &sent); err != nil {
			t.Fatalf("template.yaml: Input %q: %v", timer.Properties.Input, err)
		}
		if sent == e {
			return
		}
	}
	t.Errorf("%s: no timer of template.yaml sends it", file)
}

func TestTimersSendJobsThatThereAre(t *testing.T) {
	jobs := map[string]bool{schedule.JobSync: false, schedule.JobSweep: false}
	for name, timer := range loadTemplate(t).Functions["schedule"].Events {
		var e schedule.Event
		if err := json.Unmarshal([]byte(timer.Properties.Input), &e); err != nil {
			t.Fatal(err)
		}
		if _, known := jobs[e.Job]; !known {
			t.Errorf("%s asks for the job %q", name, e.Job)
		}
		jobs[e.Job] = true
	}
	for job, sent := range jobs {
		if !sent {
			t.Errorf("no timer sends the job %q", job)
		}
	}
}

func holdWake(t *testing.T, file string) {
	t.Helper()
	var e events.SQSEvent
	decode(t, file, &e)
	if len(e.Records) == 0 {
		t.Errorf("%s wakes nobody", file)
	}
	for _, message := range e.Records {
		var wake work.Wake
		if err := json.Unmarshal([]byte(message.Body), &wake); err != nil || wake.Location == "" {
			t.Errorf("%s: body %q: %v", file, message.Body, err)
		}
	}
}
