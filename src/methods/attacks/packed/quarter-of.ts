/** Of a batch a quarter at a time: what is left when images are done is packed, and less than a quarter of the batch is computed for nothing. */
export const quarterOf = (batch: number): number => Math.ceil(batch / 4);
