// Answers every connection on port 8080 with one line. On SIGINT or SIGTERM it closes its listener, lets the connections that it
// has end, and ends with exit code 0.
package main

import (
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:8080")
	if err != nil {
		log.Fatal(err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		log.Printf("%v: closing the listener", <-stop)
		listener.Close()
	}()
	var open sync.WaitGroup
	for {
		connection, err := listener.Accept()
		if err != nil {
			break
		}
		open.Add(1)
		go func() {
			defer open.Done()
			defer connection.Close()
			fmt.Fprintf(connection, "hello from go, pid %d\n", os.Getpid())
		}()
	}
	open.Wait()
	log.Print("all connections are closed")
}
