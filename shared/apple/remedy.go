package apple

// Remedy says what the administrator should do.
func (e *Error) Remedy() string { return "" }

// Retryable says that the same request may succeed later.
func (e *Error) Retryable() bool { return false }

// TokenProblem says that Apple doesn't accept the token.
func (e *Error) TokenProblem() bool { return false }
