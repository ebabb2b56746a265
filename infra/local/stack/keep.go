package stack

import (
	"errors"
	"os"
)

// unfinished ends the name of a file that is being written. Only one program writes in a data directory.
const unfinished = ".new"

// keep writes a small file whole or not at all, whenever the program is killed, for its owner only.
func keep(path string, data []byte) error {
	file, err := os.OpenFile(path+unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600) // #nosec G304 -- the operator's choice
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err != nil {
		return err
	}
	return os.Rename(path+unfinished, path)
}
