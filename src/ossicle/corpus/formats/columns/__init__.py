"""The columns of annotation tables: what each holds, by its heading and its cells, and rows read by them."""
