//! A server on loopback that answers as a test wants it to.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub method: String,
    pub target: String,
    /// Value of `Authorization`; empty where there is none.
    pub authorization: String,
    pub body: String,
}

/// What is answered.
pub enum Answer {
    /// Status line and headers, and the body, of which the length is told.
    Whole(String, Vec<u8>),
    /// Whatever this writes.
    Raw(Box<dyn Fn(&mut TcpStream) + Send + Sync>),
}

/// An answer without headers.
pub fn status(line: &str) -> Answer {
    Answer::Whole(line.to_owned(), Vec::new())
}

/// A JSON document of a media type.
pub fn json(media_type: &str, body: impl Into<Vec<u8>>) -> Answer {
    Answer::Whole(format!("200 OK\r\ncontent-type: {media_type}"), body.into())
}

/// A redirect.
pub fn redirect(to: &str) -> Answer {
    status(&format!("307 Temporary Redirect\r\nlocation: {to}"))
}

/// A running server, and what it was asked so far.
#[derive(Clone)]
pub struct Server {
    pub authority: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    /// Answers every request by `answer`, for as long as the test runs.
    pub fn start(answer: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let authority = listener.local_addr().unwrap().to_string();
        let server = Self { authority, asked: Arc::default() };
        let (asked, answer) = (Arc::clone(&server.asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (asked, answer) = (Arc::clone(&asked), Arc::clone(&answer));
                thread::spawn(move || serve(stream, &asked, &*answer));
            }
        });
        server
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, log: &Mutex<Vec<Asked>>, answer: &dyn Fn(&Asked) -> Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(asked) = read(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        match answer(&asked) {
            Answer::Raw(write) => return write(&mut stream),
            Answer::Whole(head, body) => {
                let head = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
                let body: &[u8] = if asked.method == "HEAD" { &[] } else { &body };
                if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err() {
                    return;
                }
            }
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked = Asked { method, target, ..Asked::default() };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        match name.to_ascii_lowercase().as_str() {
            "authorization" => asked.authorization = value.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    std::io::Read::read_exact(reader, &mut body).ok()?;
    asked.body = String::from_utf8(body).ok()?;
    Some(asked)
}
