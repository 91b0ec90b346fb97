//! Matrix products with AMX, the tiles of Intel's servers: one of the modules with `unsafe` code.
//!
//! A tile is a register of 16 rows of 64 bytes, and there are eight. One instruction, `tdpbf16ps`,
//! multiplies a tile of 16 rows by 32 `bf16` with 16 [`PanelLine`](super::panels::PanelLine)s of a
//! panel, and adds the 16 x 16 products to a tile of f32. It takes 16 cycles, and a tile is loaded
//! in 8: so four tiles of sums share two of rows and two of lines, and products hide the loads.
//!
//! | tiles | two tiles of rows | one tile of rows |
//! |---|---|---|
//! | 0, 1, 2, 3: sums | 2 x 2 panels | 1 x 4 panels |
//! | 4, 5: rows | a tile each | 4 |
//! | 6, 7: lines | a panel each | panels alternately |
//!
//! An instruction takes as many cycles as its tile has rows. So 33 rows are not split into 16, 16
//! and 1, but into three tiles of 11: all tiles of a product have the same height, no higher than
//! needed. The last tile ends with the last row, and so may overlap the one before it; the shared
//! outputs are written twice, with the same bits.
//!
//! An output starts with the bias. Each step of 32 adds one number to it: the sum of the products
//! at even places plus the sum of those at odd places. Each is summed from zero in order, with one
//! rounding (to nearest even) per product, and with subnormal numbers taken as zeros. None of this
//! depends on the place of the row in its tile, so a row gives the same bits whatever rows are
//! computed with it.
//!
//! On machines without AMX, tests run this code with `amx/emulator.rs`, which executes the
//! instructions when the CPU refuses them.

#[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
mod emulator;
#[cfg(all(test, target_arch = "x86_64", target_os = "linux"))]
mod tests;

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
pub(super) use self::here::{is_here, multiply};
#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
pub(super) use self::nowhere::{is_here, multiply};

#[cfg(not(all(target_arch = "x86_64", target_os = "linux")))]
mod nowhere {
    use super::super::lines::{Pair, Product};
    use super::super::portable;

    pub(in crate::encoder) fn is_here() -> bool {
        false
    }

    pub(in crate::encoder) fn multiply(product: &mut Product<'_, Pair>) {
        portable::multiply(product);
    }
}

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
#[expect(unsafe_code, reason = "instructions of the CPU by assembly; twin in portable.rs")]
mod here {
    use std::arch::asm;
    use std::arch::x86_64::{__cpuid_count, _xgetbv};
    use std::sync::OnceLock;

    use super::super::lines::{Pair, PanelLine, Product, WIDTH};
    use crate::cpu;

    /// Rows in the highest tile, and lines in each.
    const TILE: usize = 16;
    /// Panels that are multiplied with one tile of rows at a time.
    const GROUP: usize = 4;

    /// Returns whether this process may use AMX; the first call asks the system for permission.
    ///
    /// The registers are so large, 8 KiB, that Linux gives them only to a process that requests
    /// them: without the request, the first instruction would fault. The answer holds for all
    /// threads.
    pub(crate) fn is_here() -> bool {
        static ANSWER: OnceLock<bool> = OnceLock::new();
        // the other functions of this kernel use AVX-512
        *ANSWER.get_or_init(|| cpu::has_avx512_bf16() && has_tiles() && permission())
    }

    /// Returns whether a CPU with AVX-512 has tiles, and the system saves their registers.
    fn has_tiles() -> bool {
        /// The bits of `amx-bf16` and `amx-tile`.
        const FEATURES: u32 = 1 << 22 | 1 << 24;
        /// The bits of the configuration and of the tiles.
        const SAVED: u64 = 1 << 17 | 1 << 18;
        if !is_x86_feature_detected!("xsave") || __cpuid_count(7, 0).edx & FEATURES != FEATURES {
            return false;
        }
        // SAFETY: a CPU with `xsave` has the instruction, and the system has switched it on, or
        // the feature would not have been detected.
        unsafe { _xgetbv(0) & SAVED == SAVED }
    }

    /// Requests the tiles from Linux; versions before 5.16 have no such call and return an error.
    fn permission() -> bool {
        const ARCH_PRCTL: i64 = 158;
        const ARCH_REQ_XCOMP_PERM: i64 = 0x1023;
        const XFEATURE_XTILEDATA: i64 = 18;
        let answer: i64;
        // SAFETY: the call reads and writes no memory of ours; `syscall` itself overwrites two
        // registers.
        unsafe {
            asm!(
                "syscall",
                inlateout("rax") ARCH_PRCTL => answer,
                in("rdi") ARCH_REQ_XCOMP_PERM,
                in("rsi") XFEATURE_XTILEDATA,
                lateout("rcx") _,
                lateout("r11") _,
                options(nostack),
            );
        }
        answer == 0
    }

    pub(crate) fn multiply(product: &mut Product<'_, Pair>) {
        assert!(is_here());
        // SAFETY: the CPU has the instructions, and this process may use them.
        unsafe { multiply_by_tiles(product) }
    }

    /// # Safety
    ///
    /// The instructions can be used, or are emulated.
    pub(super) unsafe fn multiply_by_tiles(product: &mut Product<'_, Pair>) {
        let Product { left_stride, rows, depth, columns, output_stride, .. } = *product;
        let panels = columns.div_ceil(WIDTH);
        assert!(rows > 0 && columns > 0 && left_stride >= depth);
        assert!(depth > 0 && depth.is_multiple_of(TILE));
        assert!(product.left.len() >= (rows - 1) * left_stride + depth);
        assert!(product.lines.len() >= panels * depth && product.bias.len() >= panels * WIDTH);
        assert!(product.output.len() >= (rows - 1) * output_stride + columns);
        let mut tiled = TiledProduct::new(product);
        let shapes = Shapes::new(tiled.high);
        // SAFETY: the shapes are 64 bytes, as the instruction requires. Only `tiled` uses tiles
        // until they are released, as the compiler never does. Without a release, the next product
        // would still load its own shapes. The slices were checked to be as long as `tiled` demands.
        unsafe {
            asm!("ldtilecfg [{}]", in(reg) &shapes, clobber_abi("sysv64"), options(nostack));
            tiled.all();
            asm!("tilerelease", clobber_abi("sysv64"), options(nostack));
        }
    }

    /// The shapes of all tiles, as `ldtilecfg` reads them.
    #[repr(C, align(64))]
    struct Shapes {
        palette: u8,
        start_row: u8,
        reserved: [u8; 14],
        /// Bytes in a row of each tile.
        widths: [u16; 16],
        /// Rows in each tile.
        heights: [u8; 16],
    }

    impl Shapes {
        /// Tiles of sums and of rows have the given height, tiles of lines always 16.
        fn new(high: usize) -> Self {
            let (mut widths, mut heights) = ([0; 16], [0; 16]);
            widths[..8].fill(size_of::<PanelLine<Pair>>() as u16);
            heights[..6].fill(high as u8);
            heights[6..8].fill(TILE as u8);
            Self { palette: 1, start_row: 0, reserved: [0; 14], widths, heights }
        }
    }

    /// The state of a product by tiles.
    struct TiledProduct<'a, 'b> {
        product: &'a mut Product<'b, Pair>,
        /// Rows in a tile.
        high: usize,
        /// Lines to prefetch meanwhile, and how many of them per step.
        ahead: *const PanelLine<Pair>,
        ahead_count: usize,
        /// Sums of the last panel if it is incomplete, for two tiles of rows.
        spare: PartialPanel,
    }

    #[repr(align(64))]
    struct PartialPanel([[[f32; WIDTH]; TILE]; 2]);

    /// The destination of a tile's sums.
    #[derive(Clone, Copy)]
    #[repr(C)]
    struct TileTarget {
        start: *mut f32,
        /// Bytes from the start of a row to the start of the next.
        stride: usize,
    }

    impl<'a, 'b> TiledProduct<'a, 'b> {
        fn new(product: &'a mut Product<'b, Pair>) -> Self {
            let high = product.rows.div_ceil(product.rows.div_ceil(TILE));
            let spare = PartialPanel([[[0.0; WIDTH]; TILE]; 2]);
            Self { ahead: product.lines.as_ptr(), ahead_count: 0, product, high, spare }
        }

        /// Computes all outputs, a few panels at a time, which stay in the cache for all rows.
        ///
        /// # Safety
        ///
        /// The slices hold all rows and panels, and the shapes are loaded.
        unsafe fn all(&mut self) {
            let panels = self.product.columns.div_ceil(WIDTH);
            for first in (0..panels).step_by(GROUP) {
                let end = panels.min(first + GROUP);
                self.look_ahead(first, end, panels.min(end + GROUP));
                // SAFETY: these tiles and panels are there.
                unsafe {
                    for panel in (first..end).step_by(2) {
                        self.pairs_of_tiles(panel, end);
                    }
                    self.odd_tile(first, end);
                }
            }
        }

        fn tiles(&self) -> usize {
            self.product.rows.div_ceil(TILE)
        }

        /// The first row of a tile.
        fn row(&self, tile: usize) -> usize {
            (tile * self.high).min(self.product.rows - self.high)
        }

        /// Spreads the prefetch of the next panels evenly over the steps with these.
        fn look_ahead(&mut self, first: usize, end: usize, next_end: usize) {
            let Product { lines, depth, .. } = *self.product;
            let blocks = (end - first).div_ceil(2) * (self.tiles() / 2) + self.tiles() % 2;
            let steps = blocks * (depth / TILE);
            self.ahead = lines[end * depth..].as_ptr();
            self.ahead_count = ((next_end - end) * depth).div_ceil(steps);
        }

        /// # Safety
        ///
        /// As `all`; the panels are there.
        unsafe fn pairs_of_tiles(&mut self, panel: usize, end: usize) {
            for tile in (0..self.tiles() / 2 * 2).step_by(2) {
                let rows = [self.row(tile), self.row(tile + 1)];
                // SAFETY: these tiles and panels are there.
                unsafe {
                    match end - panel {
                        1 => self.block::<2, 1>(rows, panel),
                        _ => self.block::<2, 2>(rows, panel),
                    }
                }
            }
        }

        /// # Safety
        ///
        /// As `all`; the panels are there, up to four.
        unsafe fn odd_tile(&mut self, panel: usize, end: usize) {
            if self.tiles().is_multiple_of(2) {
                return;
            }
            let row = [self.row(self.tiles() - 1)];
            // SAFETY: this tile and these panels are there.
            unsafe {
                match end - panel {
                    1 => self.block::<1, 1>(row, panel),
                    2 => self.block::<1, 2>(row, panel),
                    3 => self.block::<1, 3>(row, panel),
                    _ => self.block::<1, 4>(row, panel),
                }
            }
        }

        /// Computes the outputs of R tiles of rows, from the given ones on, and of P panels.
        ///
        /// # Safety
        ///
        /// As `all`; the tiles and the panels are there.
        unsafe fn block<const R: usize, const P: usize>(&mut self, rows: [usize; R], panel: usize) {
            let places = self.places::<R, P>(rows, panel);
            let Product { left, left_stride, lines, depth, bias, .. } = *self.product;
            // SAFETY: the slices hold these rows and panels, and each place has room for a tile.
            unsafe {
                self.ahead = Block::<R, P> {
                    left: rows.map(|row| left.as_ptr().add(row * left_stride)),
                    left_stride: left_stride * size_of::<Pair>(),
                    lines: lines.as_ptr().add(panel * depth),
                    depth,
                    bias: bias.as_ptr().add(panel * WIDTH),
                    places: &places,
                    ahead: self.ahead,
                    ahead_count: self.ahead_count,
                }
                .multiply();
            }
            self.copy_spare(rows, panel + P - 1);
        }

        /// The destinations of the sums: the rows of outputs, or a buffer for an incomplete panel.
        ///
        /// The second tile of rows has the destinations from the third on.
        fn places<const R: usize, const P: usize>(
            &mut self,
            rows: [usize; R],
            panel: usize,
        ) -> [TileTarget; GROUP] {
            let Product { columns, output_stride, .. } = *self.product;
            let output = self.product.output.as_mut_ptr();
            let spare = self.spare.0.as_flattened_mut().as_flattened_mut().as_mut_ptr();
            let aside = TileTarget { start: spare, stride: size_of::<[f32; WIDTH]>() };
            let mut places = [aside; GROUP];
            for (tile, row) in rows.into_iter().enumerate() {
                for index in 0..P {
                    let column = (panel + index) * WIDTH;
                    places[2 * tile + index] = if column + WIDTH > columns {
                        TileTarget { start: spare.wrapping_add(tile * TILE * WIDTH), ..aside }
                    } else {
                        let start = output.wrapping_add(row * output_stride + column);
                        TileTarget { start, stride: output_stride * size_of::<f32>() }
                    };
                }
            }
            places
        }

        /// Copies the sums of the last panel that belong to outputs.
        fn copy_spare<const R: usize>(&mut self, rows: [usize; R], panel: usize) {
            let (column, stride) = (panel * WIDTH, self.product.output_stride);
            let count = self.product.columns - column;
            if count >= WIDTH {
                return;
            }
            for (row, sums) in rows.into_iter().zip(&self.spare.0) {
                for (row, sums) in (row..row + self.high).zip(sums) {
                    let start = row * stride + column;
                    self.product.output[start..start + count].copy_from_slice(&sums[..count]);
                }
            }
        }
    }

    /// R tiles of rows times P panels: a product that stays in the tiles.
    struct Block<'a, const R: usize, const P: usize> {
        left: [*const Pair; R],
        /// Bytes from the start of a row to the start of the next.
        left_stride: usize,
        lines: *const PanelLine<Pair>,
        depth: usize,
        bias: *const f32,
        /// The second tile of rows uses the places from the third on.
        places: &'a [TileTarget; GROUP],
        ahead: *const PanelLine<Pair>,
        ahead_count: usize,
    }

    impl<const R: usize, const P: usize> Block<'_, R, P> {
        /// Computes the outputs, and returns the end of the prefetched memory.
        ///
        /// # Safety
        ///
        /// The shapes are loaded; the rows, P panels of lines and of bias, and the places are
        /// there.
        unsafe fn multiply(self) -> *const PanelLine<Pair> {
            let mut ahead = self.ahead;
            // SAFETY: the caller guarantees that loaded and stored memory is there. Prefetching
            // reads nothing, wherever it ends. A load without an index has a stride of 0: all rows
            // of a tile of sums start with the same 64 bytes of bias.
            unsafe {
                asm!(
                    "tileloadd tmm0, [{scratch}]",
                    ".if {P} > 1", "tileloadd tmm1, [{scratch} + 64]", ".endif",
                    ".if {R} > 1", "tileloadd tmm2, [{scratch}]", ".endif",
                    ".if {R} > 1 && {P} > 1", "tileloadd tmm3, [{scratch} + 64]", ".endif",
                    ".if {P} > 2", "tileloadd tmm2, [{scratch} + 128]", ".endif",
                    ".if {P} > 3", "tileloadd tmm3, [{scratch} + 192]", ".endif",
                    "2:",
                    "tileloadd tmm4, [{left} + 1*{left_stride}]",
                    "tileloadd tmm6, [{lines} + 1*{line}]",
                    "tdpbf16ps tmm0, tmm4, tmm6",
                    ".if {P} > 1",
                    "lea {scratch}, [{lines} + {panel}]", "tileloadd tmm7, [{scratch} + 1*{line}]",
                    "tdpbf16ps tmm1, tmm4, tmm7",
                    ".endif",
                    ".if {R} > 1",
                    "tileloadd tmm5, [{second} + 1*{left_stride}]",
                    "tdpbf16ps tmm2, tmm5, tmm6",
                    ".endif",
                    ".if {R} > 1 && {P} > 1", "tdpbf16ps tmm3, tmm5, tmm7", ".endif",
                    ".if {P} > 2",
                    "add {scratch}, {panel}", "tileloadd tmm6, [{scratch} + 1*{line}]",
                    "tdpbf16ps tmm2, tmm4, tmm6",
                    ".endif",
                    ".if {P} > 3",
                    "add {scratch}, {panel}", "tileloadd tmm7, [{scratch} + 1*{line}]",
                    "tdpbf16ps tmm3, tmm4, tmm7",
                    ".endif",
                    "mov {scratch}, {ahead_count}", "test {scratch}, {scratch}", "jz 4f",
                    "3:",
                    "prefetcht1 [{ahead}]", "add {ahead}, 64", "dec {scratch}", "jnz 3b",
                    "4:",
                    "add {left}, 64", "add {second}, 64", "add {lines}, 1024",
                    "dec {steps}", "jnz 2b",
                    "mov {left}, [{places}]", "mov {lines}, [{places} + 8]",
                    "tilestored [{left} + 1*{lines}], tmm0",
                    ".if {P} > 1",
                    "mov {left}, [{places} + 16]", "mov {lines}, [{places} + 24]",
                    "tilestored [{left} + 1*{lines}], tmm1",
                    ".endif",
                    ".if {R} > 1 || {P} > 2",
                    "mov {left}, [{places} + 32]", "mov {lines}, [{places} + 40]",
                    "tilestored [{left} + 1*{lines}], tmm2",
                    ".endif",
                    ".if {R} > 1 && {P} > 1 || {P} > 3",
                    "mov {left}, [{places} + 48]", "mov {lines}, [{places} + 56]",
                    "tilestored [{left} + 1*{lines}], tmm3",
                    ".endif",
                    R = const R,
                    P = const P,
                    scratch = inout(reg) self.bias => _,
                    left = inout(reg) self.left[0] => _,
                    second = inout(reg) self.left[R - 1] => _,
                    left_stride = in(reg) self.left_stride,
                    lines = inout(reg) self.lines => _,
                    panel = in(reg) self.depth * size_of::<PanelLine<Pair>>(),
                    line = in(reg) size_of::<PanelLine<Pair>>(),
                    steps = inout(reg) self.depth / TILE => _,
                    ahead = inout(reg) ahead,
                    ahead_count = in(reg) self.ahead_count,
                    places = in(reg) self.places,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack),
                );
            }
            ahead
        }
    }
}
