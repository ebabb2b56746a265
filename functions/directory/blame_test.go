package directory_test

import (
	"strings"
	"testing"
)

func TestARefusedBodyIsToldWhichAttributeIsAtFault(t *testing.T) {
	s := newServer(t)
	user, group := s.newUser(t, "a"), s.newGroup(t, "G")
	enterprise := "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
	for _, c := range []struct{ method, path, body, scimType, detail string }{
		{"POST", "/Users", `{}`, "invalidValue", "userName: It is required and missing."},
		{"POST", "/Users", `{"displayName":"x"}`, "invalidValue", "userName: It is required and missing."},
		{"PUT", "/Users/" + user, `{"userName":null}`, "invalidValue", "userName: It is required and missing."},
		{"POST", "/Users", `{"userName":true}`, "invalidValue", "userName: It must be a text."},
		{"POST", "/Users", `{"userName":"x","userNAME":"y"}`, "invalidSyntax", "userName: It is there more than once"},
		{"POST", "/Users", `{"userName":"x","active":"maybe"}`, "invalidValue", "active: It must be true or false."},
		{"POST", "/Users", `{"userName":"x","externalId":7}`, "invalidValue", "externalId: It must be a text."},
		{"POST", "/Users", `{"userName":"x","name":"Jane"}`, "invalidValue", "name: It must be an object."},
		{"POST", "/Users", `{"userName":"x","name":{"givenName":true}}`, "invalidValue", "name.givenName: It must be a text."},
		{
			"POST", "/Users", `{"userName":"x","emails":[{"value":"a@b"},{"value":"c@d","primary":"so"}]}`, "invalidValue",
			"emails[1].primary: It must be true or false.",
		},
		{"POST", "/Users", `{"userName":"x","emails":[7]}`, "invalidValue", "emails[0]: It must be an object."},
		{"POST", "/Users", `{"userName":"x","` + enterprise + `":7}`, "invalidSyntax", enterprise + ": It must be an object."},
		{
			"POST", "/Users", `{"userName":"x","` + enterprise + `":{"employeeNumber":true}}`, "invalidValue",
			enterprise + ":employeeNumber: It must be a text.",
		},
		{"POST", "/Users", `{"schemas":["urn:other"],"userName":"x"}`, "invalidSyntax", "schemas: It must be a list with"},
		{"POST", "/Groups", `{}`, "invalidValue", "displayName: It is required and missing."},
		{"POST", "/Groups", `{"displayName":"x","members":[7]}`, "invalidValue", "members[0]: It must be an object."},
		{
			"PATCH", "/Users/" + user, patchOp(`{"op":"replace","path":"active","value":true},{"op":"frob","path":"active","value":true}`),
			"invalidValue", `op: "frob" isn't an operation. It must be add, replace or remove.`,
		},
		{"PATCH", "/Users/" + user, patchOp(`{"path":"active","value":true}`), "invalidValue", `op: "" isn't an operation.`},
		{"PATCH", "/Users/" + user, patchOp(`{"op":"replace","path":"active","value":"maybe"}`), "invalidValue", "active: It must be true"},
		{"PATCH", "/Users/" + user, patchOp(`{"op":"add","value":{"active":"maybe"}}`), "invalidValue", "active: It must be true"},
		{"PATCH", "/Users/" + user, patchOp(`{"op":"add","path":"name.givenName","value":true}`), "invalidValue", "name.givenName:"},
		{
			"PATCH", "/Users/" + user, patchOp(`{"op":"replace","path":"shoeSize","value":"9"}`), "invalidPath",
			`path: The directory knows no attribute "shoeSize".`,
		},
		{
			"PATCH", "/Users/" + user, patchOp(`{"op":"replace","path":"emails[type eq \"work\"].primary","value":"so"}`), "invalidValue",
			`emails[type eq "work"].primary: It must be true or false.`,
		},
		{
			"PATCH", "/Users/" + user, patchOp(`{"op":"remove","path":"emails[size eq \"work\"]"}`), "",
			`path: "emails[size eq \"work\"]" names no part`,
		},
		{"PATCH", "/Users/" + user, patchOp(`{"op":"remove"}`), "noTarget", "path: A remove has to name the attribute"},
		{"PATCH", "/Users/" + user, patchOp(`{"op":"add","value":7}`), "invalidValue", "value: Without a path it must be an object"},
		{"PATCH", "/Groups/" + group, patchOp(`7`), "", "Operations: Each must be an object"},
		{"PATCH", "/Groups/" + group, patchOp(`{"op":"add","path":"members","value":[7]}`), "invalidValue", "members[0]: It must be an object"},
		{
			"PATCH", "/Groups/" + group, `{"schemas":["urn:other"],"Operations":[{"op":"add","path":"displayName","value":"x"}]}`,
			"invalidValue", "schemas: It must be",
		},
	} {
		a := s.want(t, 400, c.method, c.path, c.body)
		detail, _ := a.body["detail"].(string)
		scimType, _ := a.body["scimType"].(string)
		if !strings.HasPrefix(detail, c.detail) || c.scimType != "" && scimType != c.scimType {
			t.Errorf("%s %s %s: %s, %q, want %s, %q", c.method, c.path, c.body, scimType, detail, c.scimType, c.detail)
		}
	}
}
