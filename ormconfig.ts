import { readSettings } from './src/config/settings';
import { TixxetyDataSource } from './src/database/tixxety-data-source';

/** The database as the TypeORM CLI sees it: the same description the API and the worker connect through. */
export default new TixxetyDataSource(readSettings(), 'tool', console.log);
