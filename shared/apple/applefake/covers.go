package applefake

import (
	"bytes"
	"hash/fnv"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"net/http"
	"strconv"
	"strings"
)

// coverColors are the two colors of a title's cover.
func coverColors(adamID string) (back, front color.RGBA) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(adamID))
	n := h.Sum32()
	back = color.RGBA{uint8(40 + n%120), uint8(40 + n>>8%120), uint8(40 + n>>16%120), 255}
	return back, color.RGBA{back.R + 70, back.G + 70, back.B + 70, 255}
}

func rgb(c color.RGBA) string {
	return strconv.FormatUint(uint64(c.R)<<16|uint64(c.G)<<8|uint64(c.B)|1<<24, 16)[1:]
}

// cover draws a title's cover: a colored board with a band across, in the asked size and format.
func (s *Server) cover(c *call) *reply {
	missing := (&reply{}).as(http.StatusNotFound)
	id, file, _ := strings.Cut(strings.TrimPrefix(c.request.URL.Path, coverPath), "/")
	size, format, _ := strings.Cut(file, "bb.")
	w, h, _ := strings.Cut(size, "x")
	width, err1 := strconv.Atoi(w)
	height, err2 := strconv.Atoi(h)
	s.mu.Lock()
	_, ok := s.title(id)
	s.mu.Unlock()
	if !ok || err1 != nil || err2 != nil || width < 1 || height < 1 || width > 2000 || height > 3000 {
		return missing
	}
	back, front := coverColors(id)
	picture := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{back, front})
	for y := height / 5; y < height*2/5; y++ {
		for x := width / 8; x < width*7/8; x++ {
			picture.SetColorIndex(x, y, 1)
		}
	}
	var out bytes.Buffer
	answer := (&reply{}).as(http.StatusOK)
	encode, media := func() error { return png.Encode(&out, picture) }, "image/png"
	if format == "jpg" {
		encode, media = func() error { return jpeg.Encode(&out, picture, nil) }, "image/jpeg"
	} else if format != "png" {
		return missing
	}
	if encode() != nil {
		return missing
	}
	answer.body = out.Bytes()
	answer.header.Set("Content-Type", media)
	return answer
}
