//! AMX on machines without it: what the CPU refuses to do is done here.
//!
//! A CPU answers an instruction that it does not know with a fault, which Linux makes a signal.
//! The handler of a signal sees all registers and may change them. Ours decodes the instruction at
//! which the thread has stopped, does what the manual says of it (Intel 64 and IA-32 Architectures
//! Software Developer's Manual, volume 2), and lets the thread go on behind it. So a test runs the
//! very bytes that an AMX machine runs.
//!
//! Known are the five instructions that the kernel is made of. Every other one, and each that the
//! manual forbids, like a tile beyond its shape, ends the process as it would without a handler.

#![expect(unsafe_code, reason = "memory and registers as the instructions name them; tests only")]

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::Once;

use half::bf16;
use libc::{siginfo_t, ucontext_t};

/// Registers of the CPU in the order in which instructions number them.
const REGISTERS: [c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

thread_local! {
    static TILES: RefCell<Tiles> = RefCell::default();
}

/// Lets this process use the instructions of AMX, by the CPU if it has them.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        if super::is_here() {
            return;
        }
        // SAFETY: zeros are an action without flags; the handler is one that takes three arguments.
        let answer = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_flags = libc::SA_SIGINFO;
            action.sa_sigaction = on_illegal as *const () as usize;
            libc::sigaction(libc::SIGILL, &action, std::ptr::null_mut())
        };
        assert_eq!(answer, 0, "a handler for SIGILL");
    });
}

/// Takes the parts of memory that this thread loaded into tiles since the last call.
pub(super) fn loads() -> Vec<Range<usize>> {
    TILES.with_borrow_mut(|tiles| std::mem::take(&mut tiles.loads))
}

extern "C" fn on_illegal(signal: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: Linux hands the registers over, for this handler alone. They come from an
    // instruction that the thread was about to carry out.
    unsafe {
        let registers = &mut (*context.cast::<ucontext_t>()).uc_mcontext.gregs;
        let numbered = REGISTERS.map(|register| registers[register as usize] as usize);
        let pointer = &mut registers[libc::REG_RIP as usize];
        let start = *pointer as *const u8;
        let done = TILES.with_borrow_mut(|tiles| tiles.carry_out(Code { at: start, numbered }));
        match done {
            Some(length) => *pointer += length as i64,
            // the thread tries again, and ends the process
            None => _ = libc::signal(signal, libc::SIG_DFL),
        }
    }
}

/// The tiles of a thread.
#[derive(Default)]
pub(super) struct Tiles {
    tiles: [Tile; 8],
    loads: Vec<Range<usize>>,
}

/// A tile; its shape is 0 by 0 before `ldtilecfg`.
#[derive(Clone, Copy, Default)]
struct Tile {
    rows: usize,
    /// Bytes in a row.
    width: usize,
    lanes: [[u32; 16]; 16],
}

/// An instruction that is being read, and the registers when it began.
pub(super) struct Code {
    pub(super) at: *const u8,
    pub(super) numbered: [usize; 16],
}

impl Tiles {
    /// Does what an instruction says and returns its length; `None` if it is none of ours.
    ///
    /// # Safety
    ///
    /// The code is an instruction, and the memory that it names may be used.
    pub(super) unsafe fn carry_out(&mut self, mut code: Code) -> Option<usize> {
        let start = code.at;
        // SAFETY: the instruction goes on as long as its bytes so far say.
        unsafe {
            // C4, R X B and map 2, W vvvv L pp: three bytes that begin an instruction of VEX
            if code.next() != 0xc4 {
                return None;
            }
            let (extension, other) = (!code.next(), !code.next());
            let (opcode, operands) = (code.next(), code.next());
            if extension & 0x9f != 0x1d || other & 0x84 != 0x84 {
                return None;
            }
            let prefix = !other & 3;
            let (first, second) = (usize::from(operands >> 3 & 7), usize::from(operands & 7));
            let third = usize::from(other >> 3 & 15);
            match (prefix, opcode, operands >> 6) {
                (0, 0x49, 3) if operands == 0xc0 && third == 0 => self.tiles = Default::default(),
                (0, 0x49, 0..3) if first == 0 && third == 0 => {
                    self.configure(code.address(operands, extension)?.0)?;
                }
                (3, 0x4b, 0..3) if second == 4 && third == 0 => {
                    self.load(first, code.address(operands, extension)?)?;
                }
                (2, 0x4b, 0..3) if second == 4 && third == 0 => {
                    self.store(first, code.address(operands, extension)?)?;
                }
                (2, 0x5c, 3) if extension & 0xe0 == 0 => self.multiply(first, second, third)?,
                _ => return None,
            }
            Some(code.at.offset_from_unsigned(start))
        }
    }

    /// `ldtilecfg`: gives the tiles their shapes, and makes them zeros.
    unsafe fn configure(&mut self, address: usize) -> Option<()> {
        // SAFETY: the instruction reads 64 bytes.
        let bytes = unsafe { (address as *const [u8; 64]).read_unaligned() };
        let reserved = [&bytes[1..16], &bytes[32..48], &bytes[56..]].concat();
        if bytes[0] != 1 || reserved.iter().any(|&byte| byte != 0) {
            return None;
        }
        for (index, tile) in self.tiles.iter_mut().enumerate() {
            let rows = usize::from(bytes[48 + index]);
            let width =
                usize::from(u16::from_le_bytes([bytes[16 + 2 * index], bytes[17 + 2 * index]]));
            if rows > 16 || width > 64 || (rows == 0) != (width == 0) {
                return None;
            }
            *tile = Tile { rows, width, ..Tile::default() };
        }
        Some(())
    }

    /// `tileloadd`: reads the rows of a tile; what is beyond its shape becomes zero.
    unsafe fn load(&mut self, index: usize, (start, stride): (usize, usize)) -> Option<()> {
        let Tile { rows, width, .. } = self.shaped(index)?;
        let tile = &mut self.tiles[index];
        tile.lanes = Default::default();
        for (row, lanes) in tile.lanes.iter_mut().enumerate().take(rows) {
            let from = start.wrapping_add(row.wrapping_mul(stride));
            self.loads.push(from..from + width);
            // SAFETY: the instruction reads as many bytes as a row has, at most 64.
            unsafe { std::ptr::copy(from as *const u8, lanes.as_mut_ptr().cast(), width) };
        }
        Some(())
    }

    /// `tilestored`: writes the rows of a tile.
    unsafe fn store(&mut self, index: usize, (start, stride): (usize, usize)) -> Option<()> {
        let Tile { rows, width, lanes } = self.shaped(index)?;
        for (row, lanes) in lanes.iter().enumerate().take(rows) {
            let to = start.wrapping_add(row.wrapping_mul(stride));
            // SAFETY: the instruction writes as many bytes as a row has, at most 64.
            unsafe { std::ptr::copy(lanes.as_ptr().cast(), to as *mut u8, width) };
        }
        Some(())
    }

    /// `tdpbf16ps`: adds the products of two tiles, of pairs of `bf16`, to one of f32.
    fn multiply(&mut self, sums: usize, left: usize, right: usize) -> Option<()> {
        let (a, b, c) = (self.shaped(left)?, self.shaped(right)?, self.shaped(sums)?);
        let alike = c.rows == a.rows && c.width == b.width && a.width == 4 * b.rows;
        let apart = sums != left && sums != right && left != right;
        if !alike || !apart || a.width % 4 != 0 || b.width % 4 != 0 {
            return None;
        }
        for row in 0..c.rows {
            for column in 0..c.width / 4 {
                let pairs = (0..b.rows).map(|step| (a.lanes[row][step], b.lanes[step][column]));
                let sum = f32::from_bits(c.lanes[row][column]);
                self.tiles[sums].lanes[row][column] = add_products(sum, pairs).to_bits();
            }
        }
        Some(())
    }

    fn shaped(&self, index: usize) -> Option<Tile> {
        self.tiles.get(index).copied().filter(|tile| tile.rows > 0)
    }
}

/// Adds up even and odd products apart, in order, and then both to the sum.
fn add_products(sum: f32, pairs: impl Iterator<Item = (u32, u32)>) -> f32 {
    let value = |half: u32| flush(bf16::from_bits(half as u16).to_f32());
    let mut halves = [0.0_f32; 2];
    for (a, b) in pairs {
        halves[0] = flush(value(a).mul_add(value(b), halves[0]));
        halves[1] = flush(value(a >> 16).mul_add(value(b >> 16), halves[1]));
    }
    flush(flush(sum) + flush(halves[0] + halves[1]))
}

/// Makes numbers zero that are too small for a leading one.
fn flush(value: f32) -> f32 {
    if value.is_subnormal() { 0.0_f32.copysign(value) } else { value }
}

impl Code {
    unsafe fn next(&mut self) -> u8 {
        // SAFETY: the caller knows that the instruction goes on.
        unsafe {
            self.at = self.at.add(1);
            *self.at.sub(1)
        }
    }

    /// Reads where the memory begins, and the index: from the start of a row to the next.
    ///
    /// Addresses without a base, or relative to the instruction, are not known.
    unsafe fn address(&mut self, operands: u8, extension: u8) -> Option<(usize, usize)> {
        let (mode, mut base, mut stride) = (operands >> 6, operands & 7, 0);
        // SAFETY: the bits of the operands tell which bytes follow.
        unsafe {
            if base == 4 {
                let scaled = self.next();
                let index = usize::from(scaled >> 3 & 7 | (extension & 0x40) >> 3);
                // the stack pointer stands for none
                stride = if index == 4 { 0 } else { self.numbered[index] << (scaled >> 6) };
                base = scaled & 7;
            }
            if mode == 0 && base == 5 {
                return None;
            }
            let base = self.numbered[usize::from(base | (extension & 0x20) >> 2)];
            let offset = match mode {
                0 => 0,
                1 => isize::from(self.next().cast_signed()),
                _ => i32::from_le_bytes(std::array::from_fn(|_| self.next())) as isize,
            };
            Some((base.wrapping_add_signed(offset), stride))
        }
    }
}
