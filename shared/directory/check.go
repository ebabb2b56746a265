package directory

import (
	"fmt"
	"strings"

	"github.com/bookplate/bookplate/shared/problem"
)

// What a person or group may be: all of it fits the table's keys and one item with room to spare.
const (
	maxText   = 1024 // bytes of any attribute
	maxID     = 512  // bytes of a member's id
	maxEmails = 20   // a person
)

// checkPerson refuses what can't be stored; the target names the SCIM attribute.
func checkPerson(p Person) error {
	if strings.TrimSpace(p.UserName) == "" {
		return problem.New(problem.Invalid, "UserNameMissing", "A person needs a userName that isn't empty.").At("userName")
	}
	for _, text := range []struct{ name, value string }{
		{"userName", p.UserName},
		{"externalId", p.ExternalID},
		{"displayName", p.DisplayName},
		{"name.formatted", p.FormattedName},
		{"name.givenName", p.GivenName},
		{"name.familyName", p.FamilyName},
		{"employeeNumber", p.EmployeeNumber},
		{"managedAppleAccount", p.ManagedAppleAccount},
	} {
		if err := checkText(text.name, text.value); err != nil {
			return err
		}
	}
	if len(p.Emails) > maxEmails {
		return problem.New(problem.Invalid, "TooManyEmails", "A person can have at most %d e-mail addresses.",
			maxEmails).At("emails")
	}
	for i, e := range p.Emails {
		for _, text := range []string{e.Value, e.Type, e.Display} {
			if err := checkText(fmt.Sprintf("emails[%d]", i), text); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkGroup(g Group) error {
	if strings.TrimSpace(g.DisplayName) == "" {
		return problem.New(problem.Invalid, "DisplayNameMissing",
			"A group needs a displayName that isn't empty.").At("displayName")
	}
	if g.Kind != Users && g.Kind != Devices {
		return problem.New(problem.Invalid, "UnknownKind",
			"A group's kind is %q or %q.", Users, Devices).At("kind")
	}
	if err := checkText("displayName", g.DisplayName); err != nil {
		return err
	}
	return checkText("externalId", g.ExternalID)
}

func checkText(target, text string) error {
	if len(text) > maxText {
		return problem.New(problem.Invalid, "TextTooLong", "The text has more than %d bytes.", maxText).At(target)
	}
	if !storable(text) {
		return problem.New(problem.Invalid, "TextNotStorable", "The text contains a NUL character.").At(target)
	}
	return nil
}

// checkID checks a member's id. Any id that can be stored is accepted, known or not.
func checkID(id string) error {
	if id == "" || len(id) > maxID || !storable(id) {
		return problem.New(problem.Invalid, "BadMember",
			"A member's value must have between 1 and %d bytes and no NUL character.", maxID).At("members.value")
	}
	return nil
}

// findable says whether a text can be (part of) a stored key at all; if not, nothing can be found by it.
func findable(text string) bool { return text != "" && len(text) <= maxText && storable(text) }

func storable(text string) bool {
	return !strings.ContainsRune(text, 0) && strings.ToValidUTF8(text, "") == text
}
