package setting

// Name is an environment variable's.
type Name string

// The settings.
const (
	Stage            Name = "BOOKPLATE_STAGE"
	Table            Name = "BOOKPLATE_TABLE"
	Queue            Name = "BOOKPLATE_QUEUE"
	PublicKeys       Name = "BOOKPLATE_PUBLIC_KEYS"
	ScimTokenHash    Name = "BOOKPLATE_SCIM_TOKEN_HASH"
	PublicURL        Name = "BOOKPLATE_PUBLIC_URL"
	GatewayDomain    Name = "BOOKPLATE_GATEWAY_DOMAIN"
	OwnURL           Name = "BOOKPLATE_OWN_URL"
	Hold             Name = "BOOKPLATE_HOLD"
	ApprovalAbove    Name = "BOOKPLATE_APPROVAL_ABOVE"
	SelfApproval     Name = "BOOKPLATE_SELF_APPROVAL"
	FederatedDomains Name = "BOOKPLATE_FEDERATED_DOMAINS"
	RestoredAt       Name = "BOOKPLATE_RESTORED_AT"
	KeyARN           Name = "BOOKPLATE_KEY_ARN"
	Apple            Name = "BOOKPLATE_APPLE"
	ResendAfter      Name = "BOOKPLATE_RESEND_AFTER"
	PollAfter        Name = "BOOKPLATE_POLL_AFTER"
)

// Setting is one declaration.
type Setting struct {
	Name Name
	// Default holds where the variable is empty or missing; Needed ones have none.
	Default string
	Needed  bool
	// Test settings are for tests against a fake of Apple's service: template.yaml doesn't set them.
	Test bool
	Help string
}

// All are the declarations.
func All() []Setting {
	return []Setting{
		{Name: Stage, Needed: true, Help: "The installation's name; its secrets are named bookplate/<name>/<id of the token>."},
		{Name: Table, Needed: true, Help: "The name of the DynamoDB table."},
		{Name: Queue, Needed: true, Help: "The URL of the queue of wakes."},
		{Name: PublicKeys, Help: "Public keys (ES256) of those who may issue access tokens: the text inside " +
			"each PEM block on one line, separated by commas. Empty lets nobody in."},
		{Name: ScimTokenHash, Help: "SHA-256 of the identity provider's token, in lower-case hexadecimal. " +
			"Empty: it needs an access token, as everybody else."},
		{Name: PublicURL, Help: "Where people reach the API, if that is a name of your own, e.g. https://books.school.example."},
		{Name: GatewayDomain, Needed: true, Help: "What follows the API's id in the name by which AWS knows it, " +
			"e.g. execute-api.eu-central-1.amazonaws.com."},
		{Name: OwnURL, Test: true, Help: "Where the API answers, on loopback only."},
		{Name: Hold, Default: "10m", Help: "For how long a new required assignment spends nothing."},
		{Name: ApprovalAbove, Default: "100", Help: "Over how many licenses a new assignment waits for approval; 0 means never, " +
			"but for all users."},
		{Name: SelfApproval, Default: "false", Help: "Whether whoever asked for an assignment may approve it too."},
		{Name: FederatedDomains, Help: "Domains whose user names are Managed Apple Accounts, separated by commas."},
		{Name: RestoredAt, Help: "When spending was stopped before the table was restored, e.g. 2030-09-02T09:00:00Z; empty: never. " +
			"Nothing is spent until every location was read whole since."},
		{Name: KeyARN, Help: "The KMS key that new secrets are encrypted with; empty means the account's own."},
		{
			Name: Apple, Default: "https://vpp.itunes.apple.com/mdm/v2", Test: true,
			Help: "Where Apple's service begins. Plain HTTP only to loopback.",
		},
		{
			Name: ResendAfter, Default: "10m", Test: true,
			Help: "How long an unknown outcome is waited out; less than ten minutes only with Apple on loopback.",
		},
		{Name: PollAfter, Default: "10s", Test: true, Help: "When a request is first looked at after it was sent."},
	}
}
