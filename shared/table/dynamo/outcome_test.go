//go:build aws

package dynamo_test

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bookplate/bookplate/infra/emulators"
	"github.com/bookplate/bookplate/shared/table"
	"github.com/bookplate/bookplate/shared/world"
)

// The SDK's own repetition finds out what became of the first request.
func lostAnswers(s *scene) {
	for _, obey := range []bool{false, true} {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			s.wire.Next(cut(operation, obey))
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(fmt.Sprintf("%s, obeyed %v", operation, obey), "a=1", err, nil)
		})
		version := s.put("b", "1")
		s.wire.Next(cut("DeleteItem", obey))
		_, err := s.Commit(s.Context(), world.NewID(world.Real()), table.Delete(s.key("b"), table.At(version)))
		if obey { // nobody can know who has deleted it; it is gone
			s.want("delete, obeyed", "", err, table.ErrCondition)
		} else {
			s.want("delete", "", err, nil)
		}
	}
	s.eachWidth(func(operation, token string, ops []table.Op) {
		s.wire.Next(cut(operation, false), cut(operation, false), cut(operation, false))
		_, err := s.Commit(s.Context(), token, ops...)
		s.wantUnknown(operation+", three times", "", err)
	})
	s.eachWidth(func(operation, token string, ops []table.Op) {
		s.wire.Next(cut(operation, false), cut(operation, false), cut(operation, true))
		_, err := s.Commit(s.Context(), token, ops...)
		s.wantUnknown(operation+", obeyed at last", "a=1", err)
		_, err = s.Commit(s.Context(), token, ops...)
		s.want("repeated", "a=1", err, nil)
	})
}

func serviceErrors(s *scene) {
	for _, obey := range []bool{false, true} {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			trouble := emulators.Refusal(operation, "InternalServerError", "")
			trouble.Status, trouble.Obey = http.StatusInternalServerError, obey
			s.wire.Next(trouble)
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(operation, "a=1", err, nil)
		})
		s.eachWidth(func(operation, token string, ops []table.Op) {
			trouble := emulators.Refusal(operation, "InternalServerError", "")
			trouble.Status = http.StatusInternalServerError
			last := trouble
			last.Obey = obey
			s.wire.Next(trouble, trouble, last)
			_, err := s.Commit(s.Context(), token, ops...)
			s.wantUnknown(operation, map[bool]string{true: "a=1"}[obey], err)
		})
	}
}

var throttles = []string{"ProvisionedThroughputExceededException", "ThrottlingException", "RequestLimitExceeded"}

// One refusal is repeated; refusals only are a conflict, and nothing has happened.
func throttling(s *scene) {
	for _, code := range throttles {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			no := emulators.Refusal(operation, code, "")
			s.wire.Next(no)
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(code, "a=1", err, nil)
		})
		s.eachWidth(func(operation, token string, ops []table.Op) {
			no := emulators.Refusal(operation, code, "")
			s.wire.Next(no, no, no)
			_, err := s.Commit(s.Context(), token, ops...)
			s.want(code, "", err, table.ErrConflict)
		})
	}
	s.put("a", "1")
	s.wire.Next(emulators.Refusal("GetItem", throttles[0], ""), emulators.Refusal("Query", throttles[0], ""))
	item, _, err := s.Get(s.Context(), s.key("a"))
	s.want("get", "a=1", err, nil)
	if string(item.Body) != "1" {
		s.Errorf("got %+v", item)
	}
}

// After a lost answer, a refusal doesn't say that nothing happened.
func doubt(s *scene) {
	for _, obey := range []bool{false, true} {
		s.eachWidth(func(operation, token string, ops []table.Op) {
			no := emulators.Refusal(operation, throttles[0], "")
			s.wire.Next(cut(operation, obey), no, no)
			_, err := s.Commit(s.Context(), token, ops...)
			s.wantUnknown(operation, map[bool]string{true: "a=1"}[obey], err)
			_, err = s.Commit(s.Context(), token, ops...)
			s.want("repeated", "a=1", err, nil)
		})
	}
}

func canceled(reasons ...string) emulators.Fault {
	var list []string
	for _, r := range reasons {
		list = append(list, `{"Code":"`+r+`","Message":"made up"}`)
	}
	return emulators.Refusal("TransactWriteItems", "TransactionCanceledException",
		`,"CancellationReasons":[`+strings.Join(list, ",")+`]`)
}

func (s *scene) transact(faults ...emulators.Fault) error {
	s.Helper()
	s.wire.Next(faults...)
	_, err := s.Commit(s.Context(), world.NewID(world.Real()), s.widths()["TransactWriteItems"]...)
	return err
}

func conflicts(s *scene) {
	for _, reason := range []string{"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"} {
		s.want(reason, "", s.transact(canceled("None", reason)), table.ErrConflict)
	}
	s.wire.Next(emulators.Refusal("PutItem", "TransactionConflictException", ""))
	_, err := s.Commit(s.Context(), "one", s.widths()["PutItem"]...)
	s.want("alone", "", err, table.ErrConflict)

	s.wantUnknown("after a lost answer, and it didn't happen", "",
		s.transact(cut("TransactWriteItems", false), canceled("TransactionConflict", "None")))
	s.wantUnknown("after a lost answer, and it happened", "a=1",
		s.transact(cut("TransactWriteItems", true), canceled("TransactionConflict", "None")))
}

func reasons(s *scene) {
	err := s.transact(canceled("TransactionConflict", "ConditionalCheckFailed"))
	s.want("condition and conflict", "", err, table.ErrCondition)
	var failed *table.ConditionError
	if !errors.As(err, &failed) || !slices.Equal(failed.Failed, []int{1}) {
		s.Errorf("got %v, want op 1", err)
	}
	s.want("invalid", "", s.transact(canceled("ValidationError", "None")), table.ErrLimit)
	s.wantUnknown("a reason that nobody knows", "", s.transact(canceled("MadeUp", "None")))
	s.wantUnknown("no reasons", "", s.transact(canceled()))
}

func tokens(s *scene) {
	ops := s.widths()["TransactWriteItems"]
	token := s.put("z", "1")
	_, err := s.Commit(s.Context(), token, ops...)
	s.want("used for other ops", "z=1", err, table.ErrLimit)

	busy := emulators.Refusal("TransactWriteItems", "TransactionInProgressException", "")
	s.want("one that is still being done", "a=1 z=1", s.transact(busy), nil)
	s.wantUnknown("and doesn't end", "a=1 z=1", s.transact(busy, busy, busy))
}

const tableName = "bookplate-test"
