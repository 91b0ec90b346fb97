//! An emulator of AMX for tests on machines without it.
//!
//! A CPU answers an unknown instruction with a fault, which Linux turns into a signal. A signal
//! handler sees all registers and may change them. This one decodes the instruction at which the
//! thread has stopped, does what the manual specifies (Intel 64 and IA-32 Architectures Software
//! Developer's Manual, volume 2), and resumes the thread after it. So a test runs the same bytes
//! that an AMX machine runs.
//!
//! The emulator has the five instructions that the kernel consists of. Any other instruction, or
//! one that the manual forbids, such as a tile beyond its shape, ends the process as it would
//! without a handler.

#![expect(unsafe_code, reason = "memory and registers as the instructions name them; tests only")]

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::ops::Range;
use std::sync::Once;

use half::bf16;
use libc::{siginfo_t, ucontext_t};

/// The CPU registers in the order of their numbers in instructions.
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

/// Lets this process use AMX instructions, natively if the CPU has them.
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

/// Returns the memory ranges that this thread loaded into tiles since the last call.
pub(super) fn loads() -> Vec<Range<usize>> {
    TILES.with_borrow_mut(|tiles| std::mem::take(&mut tiles.loads))
}

extern "C" fn on_illegal(signal: c_int, _: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: Linux passes the registers for this handler alone. They are those of the instruction
    // that the thread was about to execute.
    unsafe {
        let registers = &mut (*context.cast::<ucontext_t>()).uc_mcontext.gregs;
        let numbered = REGISTERS.map(|register| registers[register as usize] as usize);
        let pointer = &mut registers[libc::REG_RIP as usize];
        let start = *pointer as *const u8;
        let done = TILES.with_borrow_mut(|tiles| tiles.carry_out(Code { at: start, numbered }));
        match done {
            Some(length) => *pointer += length as i64,
            // the thread retries the instruction, and the process ends
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

/// An instruction that is being decoded, and the registers before it.
pub(super) struct Code {
    pub(super) at: *const u8,
    pub(super) numbered: [usize; 16],
}

impl Tiles {
    /// Executes an instruction and returns its length; `None` if it is unknown or invalid.
    ///
    /// # Safety
    ///
    /// The code is an instruction, and the memory that it names may be accessed.
    pub(super) unsafe fn carry_out(&mut self, mut code: Code) -> Option<usize> {
        let start = code.at;
        // SAFETY: the instruction is at least as long as its bytes so far require.
        unsafe {
            // C4, R X B and map 2, W vvvv L pp: the three bytes of a VEX prefix
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

    /// `ldtilecfg`: sets the shapes of the tiles, and zeroes them.
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

    /// `tileloadd`: reads the rows of a tile, and zeroes what is beyond its shape.
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

/// Sums even and odd products separately, in order, and then adds both to the sum.
fn add_products(sum: f32, pairs: impl Iterator<Item = (u32, u32)>) -> f32 {
    let value = |half: u32| flush(bf16::from_bits(half as u16).to_f32());
    let mut halves = [0.0_f32; 2];
    for (a, b) in pairs {
        halves[0] = flush(value(a).mul_add(value(b), halves[0]));
        halves[1] = flush(value(a >> 16).mul_add(value(b >> 16), halves[1]));
    }
    flush(flush(sum) + flush(halves[0] + halves[1]))
}

/// Flushes subnormal numbers to zero.
fn flush(value: f32) -> f32 {
    if value.is_subnormal() { 0.0_f32.copysign(value) } else { value }
}

impl Code {
    unsafe fn next(&mut self) -> u8 {
        // SAFETY: the caller guarantees that the instruction goes on.
        unsafe {
            self.at = self.at.add(1);
            *self.at.sub(1)
        }
    }

    /// Reads the start address, and the index as the stride between rows.
    ///
    /// Addresses without a base, or relative to the instruction, are not supported.
    unsafe fn address(&mut self, operands: u8, extension: u8) -> Option<(usize, usize)> {
        let (mode, mut base, mut stride) = (operands >> 6, operands & 7, 0);
        // SAFETY: the bits of the operands determine which bytes follow.
        unsafe {
            if base == 4 {
                let scaled = self.next();
                let index = usize::from(scaled >> 3 & 7 | (extension & 0x40) >> 3);
                // the stack pointer's number means that there is no index
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
