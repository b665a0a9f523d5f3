use millpond::Capture;

#[derive(Capture)]
union Union {
    a: u8,
    b: u16,
}

#[derive(Capture)]
#[capture(bound = "T: Copy")]
struct Unknown(u8);

fn main() {}
