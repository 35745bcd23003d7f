// Go's own net/http server: Server-Sent Events, flushed one by one.
package main

import (
	"fmt"
	"net"
	"net/http"
	"time"
)

func events(response http.ResponseWriter, _ *http.Request) {
	response.Header().Set("Content-Type", "text/event-stream")
	for number := 1; number <= 10; number++ {
		fmt.Fprintf(response, "id: %d\ndata: {\"level\": %d}\n\n", number, number)
		response.(http.Flusher).Flush()
		time.Sleep(20 * time.Millisecond)
	}
	fmt.Fprint(response, "event: done\ndata: {}\n\n")
}

func main() {
	http.HandleFunc("/events", events)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	panic(http.Serve(listener, nil))
}
