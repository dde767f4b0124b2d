// Tiles of equal size that take as much of an area as they can.

export interface Grid {
    readonly columns: number;
    readonly rows: number;
    /** Of each tile, pixels. */
    readonly width: number;
    readonly height: number;
}

/** `count` tiles of that shape (width / height), `gap` pixels apart, in an area of `width` × `height` pixels. */
export function bestGrid(count: number, width: number, height: number, shape = 16 / 9, gap = 12): Grid {
    let best: Grid = { columns: 1, rows: Math.max(count, 1), width: 0, height: 0 };
    for (let columns = 1; columns <= count; columns++) {
        const rows = Math.ceil(count / columns);
        const widest = (width - gap * (columns - 1)) / columns;
        const highest = (height - gap * (rows - 1)) / rows;
        const tile = Math.floor(Math.min(widest, highest * shape));
        if (tile > best.width) best = { columns, rows, width: tile, height: Math.floor(tile / shape) };
    }
    return best;
}

/** Where a box of `size` lands when it is let go at `at`: inside of `area`, at the nearest corner. */
export function corner(at: { x: number; y: number }, size: { width: number; height: number }, area: { width: number; height: number }, margin = 16): { x: number; y: number } {
    const near = (place: number, length: number, room: number) =>
        place + length / 2 < room / 2 ? margin : Math.max(margin, room - length - margin);
    return { x: near(at.x, size.width, area.width), y: near(at.y, size.height, area.height) };
}
