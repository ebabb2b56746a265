package housekeeping

import (
	"slices"
	"strings"
	"testing"

	"github.com/bookplate/bookplate/infra/setting"
)

// openResources are the resources that AWS gives no exact name to beforehand, and why.
var openResources = map[string]string{
	"arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:bookplate/${Stage}/*": "" +
		"a secret is made for each token that is uploaded, and Secrets Manager ends its ARN with six random characters",
}

func TestNoRightIsWiderThanItsUse(t *testing.T) {
	used := map[string]bool{}
	for id, r := range loadTemplate(t).Roles {
		if len(r.Statements) == 0 || len(r.Managed) > 0 {
			t.Errorf("%s must say itself what it allows", id)
		}
		for _, s := range r.Statements {
			if s.Effect != "Allow" || len(s.Actions) == 0 || len(s.Resources) == 0 {
				t.Errorf("%s has a statement that isn't a list of actions allowed on resources: %+v", id, s)
			}
			for _, a := range s.Actions {
				if strings.ContainsAny(a, "*?") || !strings.Contains(a, ":") {
					t.Errorf("%s allows %q: name each action", id, a)
				}
			}
			for _, on := range s.Resources {
				if !strings.ContainsAny(on.Text, "*?") {
					continue
				}
				if openResources[on.Text] == "" {
					t.Errorf("%s allows %v on %q: name the resource, or say above why it has none", id, s.Actions, on.Text)
				}
				used[on.Text] = true
			}
		}
	}
	for text := range openResources {
		if !used[text] {
			t.Errorf("nobody needs %s any more", text)
		}
	}
}

// SAM makes roles for functions, and for timers, that don't name one; its own are wider than they need be.
func TestEveryFunctionHasARoleOfItsOwn(t *testing.T) {
	loaded := loadTemplate(t)
	for name, f := range loaded.Functions {
		want := f.ID + "Role.Arn"
		if _, there := loaded.Roles[f.ID+"Role"]; !there || f.Role.Function != "!GetAtt" || f.Role.Text != want {
			t.Errorf("%s has the role %v, not %s", name, f.Role, want)
		}
		if f.Policies != nil {
			t.Errorf("%s has policies besides its role", name)
		}
		for event, e := range f.Events {
			if e.Type == "ScheduleV2" && e.Properties.RoleArn.Text != "TimerRole.Arn" {
				t.Errorf("%s's timer %s has SAM make it a role", name, event)
			}
		}
	}
}

// The cut that the design makes: what each kind of right is for, and who alone has it.
func TestRightsAreCutAsTheFunctionsAre(t *testing.T) {
	writers := []string{"assignments", "directory", "schedule", "tokens", "work"}
	for action, may := range map[string][]string{
		"dynamodb:Scan":                    nil,
		"dynamodb:PutItem":                 writers,
		"dynamodb:DeleteItem":              {"directory", "tokens", "work"},
		"dynamodb:ConditionCheckItem":      {"work"},
		"dynamodb:BatchWriteItem":          {"assignments", "directory", "work"},
		"dynamodb:Query":                   {"assignments", "books", "directory", "schedule", "tokens", "work"},
		"sqs:SendMessage":                  writers,
		"sqs:ReceiveMessage":               {"work"},
		"secretsmanager:GetSecretValue":    {"tokens", "work"},
		"secretsmanager:CreateSecret":      {"tokens"},
		"secretsmanager:PutSecretValue":    {"tokens"},
		"secretsmanager:DeleteSecret":      {"tokens"},
		"secretsmanager:UpdateSecret":      nil,
		"lambda:InvokeFunction":            nil,
		"logs:PutLogEvents":                {"assignments", "books", "directory", "front", "schedule", "tokens", "work"},
		"logs:CreateLogGroup":              nil,
		"dynamodb:UpdateItem":              nil,
		"dynamodb:PartiQLUpdate":           nil,
		"dynamodb:DeleteTable":             nil,
		"dynamodb:UpdateContinuousBackups": nil,
	} {
		loaded := loadTemplate(t)
		for name, f := range loaded.Functions {
			if has := len(loaded.Roles[f.ID+"Role"].May(action)) > 0; has != slices.Contains(may, name) {
				t.Errorf("%s has %s: %v", name, action, has)
			}
		}
	}
}

// What a function reads of its environment is in its bootstrap; what template.yaml sets must be that, no less and no more.
func TestTheTemplateSetsWhatBootstrapsRead(t *testing.T) {
	declared := map[string]setting.Setting{}
	for _, s := range setting.All() {
		if s.Help == "" || declared[string(s.Name)].Name != "" || s.Needed == (s.Default != "") && s.Needed {
			t.Errorf("%s is declared twice, without help, or as needed and with a default", s.Name)
		}
		declared[string(s.Name)] = s
	}
	set := map[string]bool{}
	for name, f := range loadTemplate(t).Functions {
		for variable := range f.Environment {
			s, known := declared[variable]
			if !known || s.Test {
				t.Errorf("template.yaml sets %s for %s; infra/setting doesn't declare it, or only for tests", variable, name)
			}
			set[variable] = true
		}
	}
	for variable, s := range declared {
		if !set[variable] && !s.Test {
			t.Errorf("no function is given %s", variable)
		}
	}
}
